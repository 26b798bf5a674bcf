"""Drawing masks on faces."""
