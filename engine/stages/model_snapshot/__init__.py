"""Give a save of a model a name."""
