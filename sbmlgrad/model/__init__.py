"""The model layer: networks, expressions, units and structure; no files, no TensorFlow."""
