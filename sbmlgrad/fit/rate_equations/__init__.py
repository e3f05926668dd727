"""Fits of the reaction rate equations: course, likelihood, slopes and the maximum."""
