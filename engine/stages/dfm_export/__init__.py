"""Export a model for DeepFaceLive."""
