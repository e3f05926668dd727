"""The TensorFlow engine: the direct method on tensors, on any device that TensorFlow has."""
