"""What `throughput.py` measures and writes."""
