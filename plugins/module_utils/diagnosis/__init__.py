"""What is wrong with a deployment, named by rules over one observation, with the evidence and the command that mends it."""
