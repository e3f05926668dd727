"""Calibration problems from sheets, and what is wrong with them before anything is simulated."""
