"""Facewright's engine: the stages, models and nets, run in processes of their own."""
