"""What a rater is asked before the test: one class per step, graded on the server."""
