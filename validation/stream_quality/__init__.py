"""What `validation/streams.py` and `stationary.py` test."""
