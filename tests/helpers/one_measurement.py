"""A calibration problem whose optimum is known: one measurement of immigration."""

from __future__ import annotations

import dataclasses

import numpy as np
from networks import network

from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.model.expression import Number
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import Problem


def one_measurement(prior: Prior | None, sd: float = 2.0) -> Problem:
    """Return a problem with alpha free: X is 30 at time 10, where its mean is 10 alpha.

    That is so without death; here it is slow.
    """
    model = network("immigration_death").with_parameters({"mu": 1e-9})
    data = Measurements(("X",), np.array([10.0]), np.array([0]), np.array([30.0]), ("1",), ("",))
    made, _ = plain_problem(model, data, ["alpha"], start={"alpha": 2.5})
    free = dataclasses.replace(made.parameters[0], prior=prior)
    seen = dataclasses.replace(made.observables[0], noise=Noise("normal", Number(sd)))
    return dataclasses.replace(made, parameters=(free,), observables=(seen,))
