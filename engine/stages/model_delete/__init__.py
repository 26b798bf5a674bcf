"""Move a model to the trash."""
