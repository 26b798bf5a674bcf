"""Make nets of a model anew."""
