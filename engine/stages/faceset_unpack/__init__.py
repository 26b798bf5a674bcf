"""Unpack a faceset."""
