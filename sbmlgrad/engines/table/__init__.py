"""The table kernel: the direct method driven by tables, nothing compiled for a model."""
