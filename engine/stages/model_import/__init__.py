"""Import a model of DeepFaceLab."""
