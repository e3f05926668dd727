"""The lockstep kernel: code of its own for a model, many trajectories in a vector instruction."""
