"""Networks that stop once a condition holds: they stay provable, exact and still."""

from __future__ import annotations

import numpy as np
import pytest
from networks import CASES, MODELS, antimony, network, shipped

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.model.expression import Apply, Number, Symbol
from sbmlgrad.model.in_molecules import in_molecules
from sbmlgrad.model.operators import OPERATORS
from sbmlgrad.model.stopping import condition_of, marked, stopped

SHIPPED = sorted(path.stem for path in MODELS.glob("*.xml"))
#: A reversible law of concentrations, in a volume that a parameter sets.
REVERSIBLE = """
    compartment vat; size_of = 2; vat = size_of; k = 1; b = 0.5; total := A + B;
    species A in vat, B in vat; A = 10; B = 0;
    J0: A -> B; vat*(k*A - b*B);
    J1: B => ; vat*0.1*B*total;
"""


def models() -> dict[str, sg.ReactionNetwork]:
    found = {name: shipped(name) for name in SHIPPED}
    found |= {case.name: network(case.name) for case in CASES}
    return found | {"reversible": antimony(REVERSIBLE)}


@pytest.mark.parametrize("name", models())
def test_stopped_laws_are_proved_and_split_as_the_own_ones(name) -> None:
    model = models()[name]
    condition = (model.species_ids[-1], 3.0, None)
    own, after = lower(model).channels, lower(stopped(model, condition)).channels
    assert [(c.id, dict(c.change)) for c in after] == [(c.id, dict(c.change)) for c in own]
    assert [c.may_be_negative for c in after] == [c.may_be_negative for c in own]
    found = marked(model, own, condition)
    ways = lower(found.network).channels
    assert not any(c.may_be_negative for c in ways) or any(c.may_be_negative for c in own)
    entering = [c for c in ways if found.flag in c.change]
    assert entering
    assert {c.change[found.flag] for c in entering} == {1}
    assert found.network.parameter_ids == model.parameter_ids


@pytest.mark.parametrize("kernel", ["table", "lockstep"])
def test_nothing_moves_once_the_condition_holds(kernel) -> None:
    model = network("small_dimer")
    formula = formula_of("A <= 3 || C >= 4")
    times = np.linspace(0.0, 8.0, 81)
    options = {"times": times, "trajectories": 200, "seed": 3}
    engine = sg.engines.Native(kernel=kernel)
    cells = sg.simulate(stopped(model, formula), engine=engine, **options)
    held = (cells.values("A") <= 3) | (cells.values("C") >= 4)
    assert held[:, -1].all()
    counts = np.stack([cells.values(s) for s in model.species_ids], axis=-1)
    first = held.argmax(axis=1)
    for row, place in enumerate(first):
        np.testing.assert_array_equal(counts[row, place:], counts[row, -1:].repeat(81 - place, 0))
    # Up to then the trajectories are those of the network itself.
    own = sg.simulate(model, engine=engine, **options)
    for species, path in zip(model.species_ids, np.moveaxis(counts, -1, 0), strict=True):
        free = own.values(species)
        for row, place in enumerate(first):
            np.testing.assert_array_equal(path[row, :place], free[row, :place])


def test_the_flag_tells_when_the_condition_came_to_hold() -> None:
    model = antimony(REVERSIBLE)
    times = np.linspace(0.0, 4.0, 41)
    options = {"times": times, "trajectories": 300, "seed": 2}
    found = marked(model, lower(model).channels, formula_of("total <= 7.5 || B > 4"))
    cells = sg.simulate(found.network, **options)
    reached = cells.values(found.flag)
    # There species are molecules: concentrations times the volume.
    total, b = cells.values("A") + cells.values("B"), cells.values("B")
    np.testing.assert_array_equal(reached, (total <= 15) | (b > 8))
    assert 0.0 < reached.mean() < 1.0
    assert np.all(np.diff(reached, axis=1) >= 0.0)


@pytest.mark.parametrize("initial", ["strict", "randomised"])
def test_in_molecules_a_network_has_the_same_trajectories_to_the_bit(initial) -> None:
    start = "10" if initial == "strict" else "5.15"
    text = REVERSIBLE.replace("A = 10", f"A = {start}")
    model = sg.load(
        "unit substance = item; unit extent = item; compartment cell = 1;" + text, initial=initial
    )
    plain = in_molecules(model, lower(model).channels)
    options = {"times": [0.0, 0.5, 2.0], "trajectories": 100, "seed": 4}
    own = sg.simulate(model, {"size_of": 4.0}, **options)
    other = sg.simulate(plain, {"size_of": 4.0}, **options)
    np.testing.assert_array_equal(own.counts, other.counts)
    np.testing.assert_array_equal(own.values("total") * 4.0, other.values("A") + other.values("B"))
    assert own.counts[:, 0, 0].mean() == pytest.approx(float(start) * 4.0, abs=0.3)


def test_conditions_are_true_or_false() -> None:
    model = network("small_dimer")
    least = Apply("geq", (Symbol("C"), Number(2.0)))
    assert condition_of(model, ("C", 2, None)) == least
    both = condition_of(model, ("C", 2, 4))
    assert both == Apply("and", (least, Apply("leq", (Symbol("C"), Number(4.0)))))
    # An infinite end is an open one.
    assert condition_of(model, ("C", 2, np.inf)) == least


@pytest.mark.parametrize(
    "text",
    [
        "X > 3",
        "!(X)",
        "piecewise(true, X > 3, false)",
        "piecewise(1, X > 3, 0)",
        "on",
        "piecewise(on, X < 9)",
    ],
)
def test_formulas_that_are_true_or_false_are_conditions(text) -> None:
    model = antimony(MOVED + "on := piecewise(1, X > 3, 0);")
    found = condition_of(model, formula_of(text))
    assert isinstance(found, Apply)
    assert OPERATORS[found.operator].is_logical


MOVED = "substanceOnly species X in cell; X = 0; k = 2; r = 1; J0: => X; k*r;"


@pytest.mark.parametrize(
    ("text", "condition", "words"),
    [
        ("r' = 1;", ("X", 3, None), "rate rule of 'r' would go on"),
        ("E: at (time > 1): X = 0;", ("X", 3, None), "event 'E' would go on"),
        ("", ("X", None, None), "both ends are open"),
        ("", ("X", -np.inf, np.inf), "both ends are open"),
        ("", ("X", 3), "pass .id, lower, upper."),
        ("", ("X", 7, 3), r"condition \('X', 7, 3\): nothing lies between 7 and 3"),
        ("", ("X", np.nan, None), "nothing lies between nan and None"),
        ("", ("X", None, np.nan), "nothing lies between None and nan"),
        ("", ("X", np.inf, None), "nothing lies between inf and None"),
        ("", ("X", None, -np.inf), "nothing lies between None and -inf"),
        ("", ("X", None, "a"), "upper end: 'a' is not a number"),
        ("", ("X", 10**400, None), "lower end: an integer is beyond"),
        ("", ("nobody", 3, None), "'nobody'"),
        ("", 3.0, "true or false"),
        ("", "X > 3", "true or false"),
        ("", formula_of("X + 1"), "'plus' gives a number, not true or false; compare"),
        ("", formula_of("X"), "'X' gives a number, not true or false"),
        ("", formula_of("3"), "3 gives a number, not true or false"),
        ("", formula_of("(X > 3)*1"), "'times' gives a number, not true or false"),
        ("", formula_of("piecewise(2, X > 3, 0)"), "'piecewise' gives a number"),
        ("twice := 2*X;", formula_of("twice"), "'twice' gives a number, not true or false"),
        ("", formula_of("J0 > 3"), "rate of 'J0'"),
        ("", formula_of("X > time"), "depends on the time"),
        ("clock := time*X;", formula_of("clock > 2"), "depends on the time"),
        ("", formula_of("k > 2"), "no species that reactions change"),
    ],
)
def test_what_cannot_stop_is_refused(text, condition, words) -> None:
    model = antimony(MOVED + text)
    with pytest.raises(sg.RequestError, match=words):
        stopped(model, condition)
    with pytest.raises(sg.RequestError, match=words):
        marked(model, lower(model).channels, condition)
