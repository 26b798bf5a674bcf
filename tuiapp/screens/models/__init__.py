"""The models of the workspace: the list, one of them, two compared."""
