"""Which estimators a fit takes where the user names none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import antimony

from sbmlgrad.fit.choice import default_estimators
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.gradients import FiniteDifference, TwoSidedAdjoint
from sbmlgrad.model.expression import Number, Symbol
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.problem import Experiment, Period

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


@pytest.mark.parametrize("free", ["a", "M0"])
def test_where_a_parameter_sets_a_count_only_what_is_fitted_is_differentiated(free) -> None:
    """Paths are differentiated in all parameters, and whole counts have no derivative."""
    model = antimony("""substanceOnly species M in cell; M = M0; M0 = 3; a = 4;
        J1: => M; a; J2: M => ; M;""")
    problem, _ = plain_problem(model, DATA, free=[free])
    assert default_estimators(problem) == (FiniteDifference(parameters=(free,)),)


def test_what_a_condition_sets_to_a_number_is_not_differentiated() -> None:
    model = antimony("""substanceOnly species M in cell; M = M0; M0 = 3; a = 4; b = 2;
        J1: => M; a; J2: M => ; b*M;""")
    problem, _ = plain_problem(model, DATA, free=["a"])
    values = {"M0": Number(5.0), "b": Symbol("a")}
    experiment = Experiment("", (Period(0.0, values),))
    problem = replace(problem, experiments=(experiment,))
    assert default_estimators(problem) == (FiniteDifference(parameters=("a", "b")),)
