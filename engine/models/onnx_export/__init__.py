"""Nets written as ONNX, for DeepFaceLive and other programs."""
