"""Give a model another name."""
