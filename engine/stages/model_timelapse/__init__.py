"""A video of how a model learned."""
