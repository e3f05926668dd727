"""Results of fits in one file."""
