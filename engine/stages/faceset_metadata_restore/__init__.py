"""Give faces their saved metadata back."""
