"""The search, after all else."""

from searched import test_nothing_that_was_printed_shows_a_value, test_only_what_was_put_there_is_found_in

__all__ = ["test_nothing_that_was_printed_shows_a_value", "test_only_what_was_put_there_is_found_in"]
