"""Helm releases: desired state, the watch over a roll-out, revisions, and what really runs."""
