"""What must be so before anything is touched. Pure; modules observe."""
