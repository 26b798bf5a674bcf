"""Apply an XSeg mask to faces."""
