"""The chemical master equation: exact distributions of small networks."""
