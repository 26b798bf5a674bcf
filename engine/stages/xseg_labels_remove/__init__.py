"""Remove drawn labels from faces."""
