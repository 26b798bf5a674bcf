"""Bring a deleted model back."""
