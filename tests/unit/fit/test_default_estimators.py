"""Which estimators a fit takes where the user names none."""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony

from sbmlgrad.fit.choice import default_estimators
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.gradients import FiniteDifference, TwoSidedAdjoint
from sbmlgrad.model.measurements import Measurements

DATA = Measurements(
    observables=("M",),
    time=np.array([1.0, 2.0]),
    observable_index=np.array([0, 0]),
    value=np.array([0.5, 1.0]),
    replicate=("1", "1"),
    condition=("", ""),
)


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ("a*P", (TwoSidedAdjoint(), FiniteDifference(parameters=("a",)))),
        # No path sees a threshold.
        ("piecewise(a, P >= 5, 0)", (FiniteDifference(parameters=("a",)),)),
        # No path sees the clock, and no firings can be shared.
        ("a*P*(1 + sin(time))", (FiniteDifference(coupling="crn", parameters=("a",)),)),
    ],
)
def test_paths_are_followed_where_they_tell(law, expected) -> None:
    model = antimony(f"""substanceOnly species P in cell, M in cell; P = 0; M = 0; k = 3; a = 4;
        J0: => P; k; J1: => M; {law}; J2: M => ; M;""")
    problem, _ = plain_problem(model, DATA, free=["a"])
    assert default_estimators(problem) == expected
