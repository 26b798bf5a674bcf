"""Export an XSeg model as ONNX."""
