"""Train XSeg."""
