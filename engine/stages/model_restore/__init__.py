"""Go back to an earlier save of a model."""
