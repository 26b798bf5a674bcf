"""Pack a faceset into one file."""
