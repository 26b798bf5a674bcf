"""Save the metadata of faces beside them."""
