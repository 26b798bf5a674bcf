"""Marking of what was made: signed metadata of rendered files, certificates, verification."""
