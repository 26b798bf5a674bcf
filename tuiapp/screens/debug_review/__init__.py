"""Frames looked through with what was found in them, and the wrong ones marked."""
