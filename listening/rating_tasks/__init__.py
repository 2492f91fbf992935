"""What a rater is asked about a stimulus: one class per rating task."""
