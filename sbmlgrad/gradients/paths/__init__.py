"""Trajectories walked backwards: what path estimators share."""
