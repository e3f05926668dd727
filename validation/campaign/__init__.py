"""The campaign of `validation/run.py`."""
