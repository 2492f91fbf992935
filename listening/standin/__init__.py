"""A stand-in for Prolific."""
