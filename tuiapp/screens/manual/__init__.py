"""Placing faces by hand."""
