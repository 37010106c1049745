"""What every room stands on: errors and words for people, progress, and how programs are run."""
