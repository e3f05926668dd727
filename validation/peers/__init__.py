"""Other simulators and ours, each asked in a process of its own; `protocol` is how to ask."""
