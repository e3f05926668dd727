"""The CUDA engine: a trajectory in each thread of a GPU."""
