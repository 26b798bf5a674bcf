"""Name faces after their frames."""
