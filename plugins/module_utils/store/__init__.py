"""Artifacts: what the lock file pins, and how it comes into the store, downloaded or built here."""
