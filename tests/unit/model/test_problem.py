"""Calibration problems: whatever contradicts itself is refused, all of it at once."""

from __future__ import annotations

import numpy as np
import pytest
from networks import network

from sbmlgrad.errors import FitError
from sbmlgrad.model.expression import Number, Symbol, add
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import NOISES, Noise
from sbmlgrad.model.priors import PRIORS, Prior
from sbmlgrad.model.problem import Experiment, Observable, Period, Problem, ProblemParameter


def measured(observable: str = "seen", condition: str = "") -> Measurements:
    return Measurements(
        (observable,), np.array([1.0]), np.array([0]), np.array([3.0]), ("1",), (condition,)
    )


def problem(**changes) -> Problem:
    given = {
        "network": network("immigration_death"),
        "observables": (Observable("seen", add(Symbol("X"), Symbol("offset"))),),
        "measurements": measured(),
        "parameters": (
            ProblemParameter("alpha", 2.0, 0.1, 10.0),
            ProblemParameter("offset", 0.0, -1.0, 1.0, "lin"),
            ProblemParameter("sd", 0.3, is_estimated=False),
        ),
    }
    return Problem(**{**given, **changes})


def test_a_sound_problem_knows_its_parts() -> None:
    found = problem()
    assert [p.id for p in found.free] == ["alpha", "offset"]
    assert found.observable["seen"].noise == Noise("normal", Number(1.0))
    assert found.experiment[""].periods[0].start == 0.0


PARAMETER = ProblemParameter("alpha", 2.0, 0.1, 10.0)
BAD = [
    ({"measurements": measured("sen")}, r"'sen', which is no observable .did you mean 'seen'"),
    ({"measurements": measured(condition="hot")}, "condition 'hot', which is no experiment"),
    ({"observables": (Observable("seen", Symbol("Y")),)}, "uses 'Y', which is neither"),
    (
        {"observables": (Observable("seen", Symbol("X"), Noise("normal", Symbol("s"))),)},
        "noise of observable 'seen' uses 's'",
    ),
    ({"parameters": (PARAMETER, PARAMETER)}, "parameter 'alpha' is there 2 times"),
    ({"parameters": (ProblemParameter("X", 1.0, 0.1, 2.0),)}, "'X' is no parameter in model"),
    ({"parameters": (ProblemParameter("alpha", 2.0, 0.0, 9.0),)}, "0 < lower < upper"),
    ({"parameters": (ProblemParameter("alpha", 2.0, 3.0, 9.0),)}, "outside its bounds"),
    ({"parameters": (ProblemParameter("alpha", 2.0, 3.0, 1.0, "lin"),)}, "lower < upper"),
    ({"parameters": (ProblemParameter("alpha", 2.0, 1.0, 3.0, "ln"),)}, "scale 'ln'"),
    ({"parameters": (ProblemParameter("alpha", np.nan, 1.0, 3.0),)}, "the value nan"),
    (
        {"experiments": (Experiment("", (Period(0.0, {"Z": Number(1.0)}),)),)},
        "sets 'Z', which model",
    ),
    (
        {"experiments": (Experiment("", (Period(0.0, {"mu": Symbol("m")}),)),)},
        "sets 'mu' by 'm', which is no parameter",
    ),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[message for _, message in BAD])
def test_contradictions_are_named(changes, message) -> None:
    with pytest.raises(FitError, match=message):
        problem(**changes)


def test_all_faults_are_listed_at_once() -> None:
    with pytest.raises(FitError) as error:
        problem(measurements=measured("sen", "hot"), parameters=(PARAMETER, PARAMETER))
    assert str(error.value).count("\n  - ") >= 4


def test_noise_and_priors_know_their_names() -> None:
    for distribution in NOISES:
        assert Noise(distribution).kind is NOISES[distribution]
    with pytest.raises(FitError, match="'gaussian' is unknown"):
        Noise("gaussian")
    for distribution, arguments in PRIORS.items():
        assert Prior(distribution, (1.0,) * len(arguments)).distribution == distribution
    with pytest.raises(FitError, match="takes 2 numbers"):
        Prior("normal", (1.0,))
    with pytest.raises(FitError, match="'beta' is unknown"):
        Prior("beta", (1.0, 1.0))
