"""Export a model to DeepFaceLab."""
