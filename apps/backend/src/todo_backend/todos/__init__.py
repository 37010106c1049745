"""Todos, each belonging to one user."""
