"""What this machine is: its system, its Docker engine, apt, and what was here before."""
