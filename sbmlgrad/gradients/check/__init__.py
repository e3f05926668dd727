"""Every estimator on one model, held against the truth: `check_gradient`."""
