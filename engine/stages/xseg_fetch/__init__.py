"""Copy labelled faces to a folder of their own."""
