"""The descent: epochs of simulation, gradient and step, from plan to checkpoint."""
