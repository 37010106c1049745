"""Whether this process has started, lives, and should get traffic."""
