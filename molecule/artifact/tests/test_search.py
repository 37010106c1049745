"""The search, after all else."""

from searched import test_nothing_that_was_printed_shows_a_value

__all__ = ["test_nothing_that_was_printed_shows_a_value"]
