"""The tree kernel: the direct method for large networks, nothing compiled for a model."""
