"""Coupled trajectories: what estimators of expectations share."""
