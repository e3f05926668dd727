"""What `gradients.py` measures and writes."""
