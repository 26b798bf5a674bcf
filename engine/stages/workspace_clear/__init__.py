"""Clear the workspace."""
