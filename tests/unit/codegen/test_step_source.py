"""The printed lines of one firing: rates, selection, what is checked, what single precision is."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from networks import antimony

from sbmlgrad.codegen.kernel_laws import kernel_inputs, kernel_laws
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.codegen.step_source import StepSource, step_source
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate

HEAD = "substanceOnly species X in cell, Y in cell; X = 6; Y = 4; k = 0.3; n = 0.7;"


def step_of(text: str, *, is_single: bool = False) -> tuple[StepSource, ReactionNetwork]:
    net = antimony(HEAD + text)
    lowered = lower(net)
    return step_source(lowered, kernel_laws(lowered), is_single=is_single), net


def run(step: StepSource, net: ReactionNetwork, counts: list[float], target: float, kind: Any):
    """Run the lines for some counts; numbers of the kind that a kernel would hold."""
    lowered = lower(net)
    values = initial_values(net)
    inputs = np.array([values[i] for i in lowered.input_ids])
    known = kernel_inputs(kernel_laws(lowered), inputs)
    assert known is not None
    names: dict[str, Any] = {f"x{i}": kind(count) for i, count in enumerate(counts)}
    names |= {f"p{i}": kind(known[i]) for i in step.inputs_used}
    names |= {f"d{i}": known[i] for i in step.doubles_used}
    # Compiled code gives infinity where Python's own functions raise.
    functions = SimpleNamespace(exp=np.exp, log=np.log)
    names |= {"np": np, "math": functions, "inf": math.inf, "nan": math.nan}
    names |= {"endless": kind(math.inf), "target": kind(target)}
    with np.errstate(all="ignore"):
        exec("\n".join([*step.rates, *step.select, *step.fire]), names)
        names["sound"] = eval(step.sound, names)
        names["enough"] = eval(step.enough or "True", names)
    return names


THREE = "J0: X => ; k*X; J1: => X; n; J2: X + Y => 2 Y; k*X*Y;"


def test_rates_are_summed_from_the_left_in_document_order() -> None:
    step, net = step_of(THREE)
    names = run(step, net, [6.0, 4.0], 0.0, np.float64)
    lowered = lower(net)
    values = dict(initial_values(net)) | {"X": 6.0, "Y": 4.0}
    rates = [float(evaluate(c.propensity, values)) for c in lowered.channels]
    assert [names[f"a{j}"] for j in range(3)] == rates
    assert [names[f"c{j}"] for j in range(3)] == list(np.cumsum(rates))
    assert step.total == "c2"


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_the_first_sum_above_the_target_selects(kind: Any) -> None:
    step, net = step_of(THREE, is_single=kind is np.float32)
    start = run(step, net, [6.0, 4.0], 0.0, kind)
    sums = [start[f"c{j}"] for j in range(3)]
    below = [0.0, *(np.nextafter(c, kind(0)) for c in sums)]
    for target, chosen in [
        *zip(below, (0, 0, 1, 2), strict=True),
        # A target at a boundary belongs to the reaction above it.
        (sums[0], 1),
        (sums[1], 2),
        (math.inf, None),
    ]:
        names = run(step, net, [6.0, 4.0], float(target), kind)
        assert [bool(names[f"h{j}"]) for j in range(3)] == [j == chosen for j in range(3)]
        change = {None: (0, 0), 0: (-1, 0), 1: (1, 0), 2: (-1, 1)}[chosen]
        assert (names["x0"] - 6, names["x1"] - 4) == change


def test_a_reaction_that_cannot_fire_is_not_selected() -> None:
    step, net = step_of(THREE)
    names = run(step, net, [0.0, 4.0], 0.0, np.float64)
    assert [bool(names[f"h{j}"]) for j in range(3)] == [False, True, False]


@pytest.mark.parametrize(
    ("text", "checked"),
    [
        ("J0: X => ; k*X;", ()),
        ("J0: X => ; k;", ("x0",)),
        ("J0: 2 X => ; k*X*(X - 1);", ()),
        ("J0: 2 X => ; k*X*(X - 1)/2;", ()),
        ("J0: 2 X => ; k*X*(-1 + X);", ()),
        # One molecule would be enough for the law, and two are consumed.
        ("J0: 2 X => ; k*X;", ("x0",)),
        ("J0: 2 X => ; k*X*X;", ("x0",)),
        ("J0: 2 X => ; k*X^2;", ("x0",)),
        ("J0: 3 X => ; k*X*(X - 1);", ("x0",)),
        ("J0: 3 X => ; k*X*(X - 1)*(X - 2);", ()),
        ("J0: X + Y => ; k*X;", ("x1",)),
        ("J0: X + Y => ; k*X*Y;", ()),
        ("J0: X + Y => ; k;", ("x0", "x1")),
        ("J0: X + Y => Y; k*X;", ()),
        ("J0: => X; k;", ()),
        ("J0: X => ; k*X/(n + X);", ()),
        ("J0: X => ; k*(X + Y);", ("x0",)),
        ("J0: X => ; k*X; J1: X => Y; n;", ("x0",)),
    ],
)
def test_counts_are_checked_where_the_law_does_not_vanish(
    text: str, checked: tuple[str, ...]
) -> None:
    step, _ = step_of(text)
    assert step.enough == " & ".join(f"({name} >= 0.0)" for name in checked)


def test_what_is_enough_is_asked_of_the_new_counts() -> None:
    step, net = step_of("J0: 2 X => ; k*X;")
    assert not run(step, net, [1.0, 0.0], 0.0, np.float64)["enough"]
    assert run(step, net, [2.0, 0.0], 0.0, np.float64)["enough"]
    assert run(step, net, [1.0, 0.0], math.inf, np.float64)["enough"]


@pytest.mark.parametrize(
    ("law", "counts", "is_sound"),
    [
        ("k*X", [6, 4], True),
        ("k*X*ln(X/4 + 0.3)", [6, 4], True),
        ("k*X*ln(X/4 + 0.3)", [1, 4], False),
        ("k*X/(X - 2)^2", [3, 4], True),
        ("k*X/(X - 2)^2", [2, 4], False),
        ("k*exp(1000*X)", [1, 4], False),
        ("k*X*(X - 1)^2/(X - 1)^2", [1, 4], False),
    ],
)
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_laws_without_a_use_are_not_sound(
    law: str, counts: list[int], is_sound: bool, kind: Any
) -> None:
    for text in (f"J0: X => ; {law}; J1: => X; n;", f"J0: => X; n; J1: X => ; {law};"):
        step, net = step_of(text, is_single=kind is np.float32)
        assert bool(run(step, net, [float(c) for c in counts], 0.0, kind)["sound"]) == is_sound


def test_only_laws_that_may_be_negative_are_asked_for_their_sign() -> None:
    step, _ = step_of("J0: => X; n; J1: X => ; k*X*ln(X/4 + 0.3); J2: Y => ; k*Y;")
    assert step.sound == "(c2 < inf) & (a1 >= 0.0)"


def test_in_single_precision_monomials_are_and_other_laws_are_rounded_once() -> None:
    step, net = step_of("J0: X => ; k*X*(X - 1)*Y; J1: Y => ; n*Y/(k + X);", is_single=True)
    names = run(step, net, [7.0, 3.0], 0.0, np.float32)
    assert all(names[f"{c}{j}"].dtype == np.float32 for c in "ac" for j in range(2))
    k, n = np.float64(0.3), np.float64(0.7)
    # Three products in single precision, from a coefficient in single precision.
    assert names["a0"] == ((np.float32(k) * np.float32(7)) * np.float32(6)) * np.float32(3)
    assert names["a1"] == np.float32(n * 3.0 / (k + 7.0))
    ids = kernel_laws(lower(net)).input_ids
    assert [ids[i] for i in step.inputs_used] == ["k"]
    assert sorted(ids[i] for i in step.doubles_used) == ["k", "n"]


def test_a_difference_of_large_numbers_survives_in_single_precision() -> None:
    step, net = step_of("J0: => X; (1e9 + k*X) - 1e9;", is_single=True)
    assert run(step, net, [10.0, 0.0], 0.0, np.float32)["a0"] == pytest.approx(3.0, rel=1e-6)


def test_in_double_precision_nothing_is_said_of_single_precision() -> None:
    step, _ = step_of("J0: X => ; k*X; J1: Y => ; n*Y/(k + X);")
    assert step.doubles_used == ()
    assert "float32" not in "".join([*step.rates, *step.fire, step.sound, step.enough])


def test_counts_that_nothing_uses_are_left_alone() -> None:
    step, _ = step_of("J0: => X; n; J1: => Y + X; k;")
    assert step.counts_used == (0, 1)
    net = antimony(
        "substanceOnly species X in cell, Y in cell; X = 1; Y = 2; k = 1; J0: X => Y; k*X;"
        "J1: Y => Y; 0*Y;"
    )
    lowered = lower(net)
    assert step_source(lowered, kernel_laws(lowered)).counts_used == (0, 1)
