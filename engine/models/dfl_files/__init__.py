"""DeepFaceLab's model folders: reading them safely, and writing them so that it opens them."""
