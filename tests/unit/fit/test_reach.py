"""Which parameters can act on what was observed, and what is refused because none can."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.errors import FitError
from sbmlgrad.fit.problems.reach import check_reach, reached
from sbmlgrad.model.expression import TIME, Number, Symbol, multiply
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.problem import Experiment, Observable, Period, Problem, ProblemParameter

#: Each parameter is used in one way, as its name says; `idle` and `of_idle` are not.
NETWORK = antimony(
    "species A in cell, B in cell, $F in cell, $G in cell; A = 10; B := 2*through_rule*A; G = 3;"
    "in_law = 1; through_rule = 1; in_start = 3; in_parameter = 2; in_trigger = 1; in_delay = 1;"
    "in_assignment = 1; in_rate = 1; idle = 1; of_idle = 1; unused := of_idle;"
    "follows = 2*in_parameter; moved = 1; F = in_start; in_event_start = 1;"
    "J: A -> ; in_law*follows*A; moved' = in_rate*0.1;"
    "E: at in_delay after (time > in_trigger): in_event_start = in_assignment;"
    "K: -> A; moved*in_event_start;"
)
ACTING = (
    "in_law",
    "through_rule",
    "in_parameter",
    "in_trigger",
    "in_delay",
    "in_assignment",
    "in_rate",
    "moved",
    "in_event_start",
    "in_start",
)


def problem(
    formula,
    free,
    *experiments: Experiment,
    scale=Number(1.0),  # noqa: B008 - an immutable formula
    measured=None,
) -> Problem:
    """Return a problem of one observable, measured at time 1 under each experiment."""
    experiments = experiments or (Experiment(""),)
    measured = [e.id for e in experiments] if measured is None else measured
    return Problem(
        network=NETWORK,
        observables=(Observable("seen", formula, Noise("normal", scale)),),
        measurements=Measurements(
            observables=("seen",),
            units=("",),
            time=np.ones(len(measured)),
            observable_index=np.zeros(len(measured), dtype=np.int64),
            value=np.ones(len(measured)),
            replicate=("",) * len(measured),
            condition=tuple(measured),
            time_unit="",
            source_name="d.csv",
            sha256="",
        ),
        parameters=tuple(ProblemParameter(id, 1.0, 0.1, 10.0) for id in free),
        experiments=experiments,
    )


def setting(id: str, **values) -> Experiment:
    """Return an experiment that sets symbols from time 0 on."""
    return Experiment(id, (Period(0.0, MappingProxyType(values)),))


def idle(problem: Problem) -> list[str]:
    """Return the parameters that are refused."""
    try:
        check_reach(problem)
    except FitError as error:
        lines = str(error).splitlines()[1:]
        return [line.split("'")[1] for line in lines]
    return []


@pytest.mark.parametrize("free", ACTING)
def test_what_moves_the_state_acts_in_every_way(free) -> None:
    assert idle(problem(Symbol("B"), [free])) == []


def test_what_nothing_uses_is_named_and_nothing_else() -> None:
    assert idle(problem(Symbol("A"), ["in_law", "idle", "of_idle"])) == ["idle", "of_idle"]
    # A rule that an observable uses makes it act.
    assert idle(problem(Symbol("unused"), ["of_idle"])) == []


def test_symbols_of_observables_and_noise_act() -> None:
    gain = multiply(Symbol("gain"), Symbol("G"))
    assert idle(problem(gain, ["gain", "sd"], scale=Symbol("sd"))) == []
    assert idle(problem(gain, ["gain", "in_law"])) == ["in_law"]


def test_a_start_acts_through_what_never_moves() -> None:
    assert idle(problem(Symbol("F"), ["in_start", "in_law"])) == ["in_law"]


def test_a_condition_takes_a_parameter_its_own_value() -> None:
    low, high = setting("low", in_law=Number(1.0)), setting("high", in_law=Number(2.0))
    assert idle(problem(Symbol("A"), ["in_law", "moved"], low, high)) == ["in_law"]
    assert idle(problem(Symbol("A"), ["in_law"], low, setting("plain"))) == []
    # An experiment without measurements does not count.
    assert idle(problem(Symbol("A"), ["in_law"], low, setting("plain"), measured=["low"])) == [
        "in_law"
    ]


def test_a_parameter_acts_by_the_formula_of_a_condition() -> None:
    by_itself = setting("low", in_law=multiply(Number(2.0), Symbol("in_law")))
    assert idle(problem(Symbol("A"), ["in_law"], by_itself)) == []
    assert idle(problem(Symbol("A"), ["start"], setting("low", A=Symbol("start")))) == []
    assert idle(problem(Symbol("A"), ["start"], setting("low", idle=Symbol("start")))) == ["start"]


def test_what_only_a_later_period_sets_acts_before() -> None:
    values = MappingProxyType({"in_law": Number(2.0)})
    later = Experiment("low", (Period(0.0), Period(0.5, values)))
    first = Experiment("low", (Period(float("-inf"), values), Period(0.0)))
    assert idle(problem(Symbol("A"), ["in_law"], later)) == []
    assert idle(problem(Symbol("A"), ["in_law"], first)) == ["in_law"]


def test_without_measurements_the_whole_model_counts() -> None:
    """What an objective of the user's own looks at is not known."""
    free = ["in_law", "idle", "of_idle", "elsewhere"]
    assert idle(problem(Symbol("G"), free, measured=[])) == []
    assert reached(NETWORK, ()) == NETWORK.by_id.keys()
    # A value that every experiment sets is never used, whoever looks.
    held = setting("low", idle=Number(2.0))
    assert idle(problem(Symbol("G"), free, held, measured=[])) == ["idle"]


def test_only_symbols_of_formulas_are_reached() -> None:
    seen = reached(NETWORK, [Observable("seen", Symbol("A"), Noise("normal", Symbol("sd")))])
    assert seen - NETWORK.by_id.keys() <= {"sd", TIME.id}
    assert "" not in seen


@pytest.mark.parametrize("formula", [Number(0.0), Symbol("G")])
@pytest.mark.parametrize("engine", [None, ODE()])
def test_an_observable_of_nothing_is_refused_before_anything_runs(formula, engine) -> None:
    # Means cannot be differentiated there, and the rate equations would give the start back.
    plain = replace(
        problem(formula, ["k"]), network=antimony("species A, $G; A = 9; G = 3; k = 1; J: A->; k*A")
    )
    with pytest.raises(FitError) as caught:
        sg.fit(plain, engine=engine, seed=1)
    assert "no observable depends on what is simulated or on a free parameter" in str(caught.value)
    assert "observables: 'seen'; free parameters: 'k'" in str(caught.value)
