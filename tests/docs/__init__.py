"""Documentation that is made from the catalog, and the test that it is not stale."""
