"""Delete a snapshot or backup of a model."""
