"""Turn the marking of results off or on."""
