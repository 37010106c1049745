"""A deployment as a whole: its status, the way back, and how it is taken away."""
