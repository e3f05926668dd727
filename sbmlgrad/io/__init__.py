"""The io layer: bytes to networks, measurements and archives, and back; no simulation."""
