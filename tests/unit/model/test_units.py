"""Amount, concentration and counts; what a unit of substance is."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sbml_text import ITEMS, at_level, compartment, line_of, model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.model.channels import channels
from sbmlgrad.model.elements import Species
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.issues import Severity
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.units import AVOGADRO, symbol_in_state, value_without, whole_number

MOLE = 6.02214076e23


def rate(net: ReactionNetwork, place: int = 0, **counts: float) -> float:
    channel = channels(net)[0][place]
    return float(evaluate(channel.propensity, {**initial_values(net), **counts}))


def test_avogadro() -> None:
    assert AVOGADRO == MOLE


@pytest.mark.parametrize("only_substance", [True, False])
@pytest.mark.parametrize("items", [1.0, 6.0, MOLE])
@pytest.mark.parametrize("volume", [1.0, 2.0, 1e-15])
def test_the_meaning_of_a_species_symbol(only_substance: bool, items: float, volume: float) -> None:
    x = Species("X", "c", only_substance_units=only_substance, items_per_substance=items)
    at = {"X": 12.0, "c": volume}
    expected = 12.0 / items / (1.0 if only_substance else volume)
    assert float(evaluate(symbol_in_state(x), at)) == pytest.approx(expected, rel=1e-15)
    fewer = 9.0 / items / (1.0 if only_substance else volume)
    assert float(evaluate(value_without(x, 3, is_state=x.changes), at)) == pytest.approx(
        fewer, rel=1e-15
    )
    # Exactly nothing where none is left: an odd molecule must not react by rounding.
    assert float(evaluate(value_without(x, 12, is_state=x.changes), at)) == 0.0


def test_a_species_that_does_not_change_stands_for_its_value() -> None:
    x = Species("X", "c", boundary=True, items_per_substance=2.0)
    at = {"X": 1.5, "c": 2.0}
    assert float(evaluate(value_without(x, 0, is_state=x.changes), at)) == 1.5
    assert float(evaluate(value_without(x, 2, is_state=x.changes), at)) == 1.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3.0, 3.0),
        (0.0, 0.0),
        (0.1 * 30, 3.0),
        (3.0000001, None),
        (0.5, None),
        (-2.0, -2.0),
        (1e-9, None),
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
        (2.0**60, 2.0**60),
        (1e-21 * MOLE, None),
        (1e-20 * MOLE, None),
    ],
)
def test_whole_numbers(value: float, expected: float | None) -> None:
    assert whole_number(value) == expected


@given(st.integers(-(2**40), 2**40), st.floats(-4.0, 4.0))
@example(0, 1.0)
def test_whole_numbers_allow_rounding_and_nothing_more(n: int, ulps: float) -> None:
    value = n + ulps * math.ulp(float(n))
    # Nothing is rounded to zero: a tiny amount says that the unit is another one.
    assert whole_number(value) == (n if n or not value else None)
    if abs(n) < 2**30:
        assert whole_number(n + 0.01) is None


# --- rate laws ------------------------------------------------------------------------------------


def second_order(volume: float, **attributes: object) -> str:
    return model(
        reaction("J", "cell*k*A*B", "A B", "C"),
        compartments=[compartment(size=volume)],
        species=[species(s, 6, hasOnlySubstanceUnits="false", **attributes) for s in "ABC"],
        parameters=[parameter("k", 3)],
    )


@pytest.mark.parametrize("volume", [1.0, 2.0, 1e-15])
def test_concentrations_in_a_law(volume: float) -> None:
    net = sg.load(second_order(volume))
    assert rate(net, A=4, B=5) == pytest.approx(3 * 4 * 5 / volume, rel=1e-14)


def test_amounts_need_no_volume() -> None:
    text = model(
        reaction("J", "k*A*B", "A B", "C"),
        compartments=[compartment(size=None)],
        species=[species(s, 6) for s in "ABC"],
        parameters=[parameter("k", 3)],
    )
    assert not [i for i in sg.check(text) if i.severity is Severity.ERROR]
    net = sg.load(text)
    assert rate(net, A=4, B=5) == 60
    assert sg.simulate(net, times=[100], seed=1).counts.ravel().tolist() == [0, 0, 12]


def test_a_law_in_moles_per_time_is_firings_per_time() -> None:
    # 2 nmol/l/s in 1 femtolitre: 2e-9 * 1e-15 * N_A molecules a second.
    text = model(
        reaction("J", "cell*k", "", "A"),
        compartments=[compartment(size=1e-15)],
        species=[species("A", 0, hasOnlySubstanceUnits="false")],
        parameters=[parameter("k", 2e-9)],
        attributes='substanceUnits="mole" extentUnits="mole"',
    )
    net = sg.load(text)
    assert rate(net) == pytest.approx(2e-24 * MOLE, rel=1e-14)
    assert channels(net)[0][0].change == {"A": 1}


def test_species_in_moles_and_extent_in_items_do_not_fit() -> None:
    text = model(
        reaction("J", "k", "", "A"),
        species=[species("A", 0)],
        parameters=[parameter("k", 2)],
        attributes='substanceUnits="mole" extentUnits="item"',
    )
    # One extent would be a mole of A at once.
    for units, code in (
        ('substanceUnits="mole" extentUnits="item"', "count_too_large"),
        ('substanceUnits="item" extentUnits="mole"', "non_integer_stoichiometry"),
    ):
        other = text.replace('substanceUnits="mole" extentUnits="item"', units)
        (issue,) = channels(sg.load(other))[1]
        assert (issue.code, issue.element, issue.blocks) == (code, "J/A", {"ssa"})
        with pytest.raises(sg.UnsupportedModelError, match=code):
            sg.simulate(sg.load(other), times=[1], seed=1)


# --- substance units ------------------------------------------------------------------------------


def unit(name: str, *units: str) -> str:
    inside = "".join(f"<unit {u}/>" for u in units)
    return f'<unitDefinition id="{name}"><listOfUnits>{inside}</listOfUnits></unitDefinition>'


def kind(name: str, exponent: float = 1, scale: int = 0, multiplier: float = 1) -> str:
    return f'kind="{name}" exponent="{exponent:g}" scale="{scale}" multiplier="{multiplier:g}"'


@pytest.mark.parametrize(
    ("units", "items", "name"),
    [
        ((kind("item"),), 1.0, "item"),
        ((kind("dimensionless"),), 1.0, "dimensionless"),
        ((kind("mole"),), MOLE, "mole"),
        ((kind("mole", scale=-3),), 1e-3 * MOLE, "millimole"),
        ((kind("mole", scale=-9),), 1e-9 * MOLE, "nanomole"),
        ((kind("mole", multiplier=1e-9),), 1e-9 * MOLE, "s"),
        ((kind("mole", scale=-3, multiplier=5),), 5e-3 * MOLE, "s"),
        ((kind("item", multiplier=1000),), 1000.0, "s"),
        ((kind("avogadro"),), MOLE, "avogadro"),
        ((kind("mole"), kind("dimensionless", scale=-6)), 1e-6 * MOLE, "s"),
    ],
)
def test_units_of_substance(units: tuple[str, ...], items: float, name: str) -> None:
    text = model(
        reaction("J", "k*A", "A"),
        units=[unit("s", *units)],
        species=[species("A", 0)],
        parameters=[parameter("k")],
        attributes='substanceUnits="s" extentUnits="s"',
    )
    net = sg.load(text)
    (a,) = net.species
    assert a.items_per_substance == pytest.approx(items, rel=1e-15)
    assert net.items_per_extent == pytest.approx(items, rel=1e-15)
    assert (a.unit, net.extent_unit) == (name, name)
    assert "units_ambiguous" not in [i.code for i in net.issues]
    # A count per count: the unit cancels in a first-order law.
    assert rate(net, A=4) == pytest.approx(4, rel=1e-14)


@pytest.mark.parametrize(
    "units",
    [
        (kind("litre"),),
        (kind("gram"),),
        (kind("second"),),
        (kind("mole", exponent=2),),
        (kind("mole"), kind("litre", exponent=-1)),
        (kind("item"), kind("mole")),
        (kind("dimensionless", multiplier=1000),),
    ],
)
def test_units_that_count_nothing_block_only_the_stochastic_mode(units: tuple[str, ...]) -> None:
    text = model(
        reaction("J", "k*A", "A"),
        units=[unit("s", *units)],
        species=[species("A", 3, substanceUnits="s")],
        parameters=[parameter("k")],
    )
    (issue,) = [i for i in sg.check(text) if i.severity is Severity.ERROR]
    assert (issue.code, issue.element) == ("units_ambiguous", "A")
    assert issue.line == line_of(text, '<species id="A"')
    assert issue.blocks == {"ssa"}
    net = sg.load(text)
    with pytest.raises(sg.UnsupportedModelError, match="units_ambiguous"):
        sg.simulate(net, times=[1], seed=1)
    assert sg.simulate(sg.load(text, substance="item"), times=[0], seed=1).counts[0, 0, 0] == 3


def test_a_unit_that_is_not_defined_is_no_number_of_molecules() -> None:
    text = model(
        reaction("J", "k*A", "A"),
        species=[species("A", 3, substanceUnits="nonsense")],
        parameters=[parameter("k")],
    )
    assert "units_ambiguous" in [i.code for i in sg.check(text) if i.blocks]


def without_units(amount: float, level: int = 3, version: int = 1) -> str:
    text = model(
        reaction("J", "k*A", "A"),
        species=[species("A", amount)],
        parameters=[parameter("k")],
        attributes="",
    )
    return at_level(text, level, version)


@pytest.mark.parametrize(("level", "version"), [(3, 1), (3, 2), (2, 4), (2, 1)])
def test_whole_amounts_without_a_unit_are_molecules_with_a_warning(
    level: int, version: int
) -> None:
    text = without_units(5, level, version)
    (issue,) = [i for i in sg.check(text) if i.code == "units_ambiguous"]
    assert (issue.severity, issue.element, issue.blocks) == (Severity.WARNING, "m", frozenset())
    net = sg.load(text)
    assert issue in net.issues
    assert net.species[0].items_per_substance == net.items_per_extent == 1.0
    assert sg.simulate(net, times=[0], seed=1).counts[0, 0, 0] == 5


@pytest.mark.parametrize(("level", "version"), [(3, 1), (3, 2), (2, 4), (2, 1)])
def test_fractional_amounts_without_a_unit_need_a_choice(level: int, version: int) -> None:
    text = without_units(0.5, level, version)
    (issue,) = [i for i in sg.check(text) if i.code == "units_ambiguous"]
    assert (issue.severity, issue.blocks) == (Severity.ERROR, {"ssa"})
    assert "'A'" in issue.message
    assert 'substance="mole"' in issue.advice
    with pytest.raises(sg.UnsupportedModelError, match="units_ambiguous"):
        sg.simulate(sg.load(text), times=[0], seed=1)


def test_the_choice_of_the_user_goes_over_the_document() -> None:
    for text in (without_units(5), without_units(5).replace('id="m"', f'id="m" {ITEMS}')):
        for choice, items in (("item", 1.0), ("mole", MOLE)):
            net = sg.load(text, substance=choice)
            assert net.species[0].items_per_substance == net.items_per_extent == items
            assert net.species[0].unit == choice
            assert "units_ambiguous" not in [i.code for i in net.issues]
            assert rate(net, A=3) == pytest.approx(3, rel=1e-14)
    small = sg.load(without_units(5e-24), substance="mole", initial="round")
    assert sg.simulate(small, times=[0], seed=1).counts[0, 0, 0] == 3


def test_the_substance_of_level_2_may_be_redefined() -> None:
    text = model(
        reaction("J", "k*A", "A"),
        units=[unit("substance", kind("mole", scale=-9))],
        species=[species("A", 0)],
        parameters=[parameter("k")],
    )
    net = sg.load(at_level(text, 2, 4))
    assert net.species[0].items_per_substance == pytest.approx(1e-9 * MOLE, rel=1e-15)
    assert net.species[0].unit == "nanomole"
    assert "units_ambiguous" not in [i.code for i in net.issues]


def test_the_unit_of_time_is_named_for_reports() -> None:
    def text(attributes: str, *units: str) -> str:
        return model(
            species=[species("A")],
            units=units,
            attributes=f'substanceUnits="item" extentUnits="item" {attributes}',
        )

    hour = unit("time", kind("second", multiplier=3600))
    assert sg.load(text('timeUnits="second"')).time_unit == "second"
    assert sg.load(text('timeUnits="time"', hour)).time_unit == "hour"
    assert sg.load(text("")).time_unit == ""
    assert sg.load(at_level(text("", hour), 2, 4)).time_unit == "hour"
    assert sg.load(at_level(text(""), 2, 4)).time_unit == ""


def test_extent_is_counted_in_the_unit_that_all_species_share() -> None:
    def text(*units: str) -> str:
        return model(
            reaction("J", "k*A", "A", "B"),
            species=[species(s, 3e-23, substanceUnits=u) for s, u in zip("AB", units, strict=True)],
            parameters=[parameter("k")],
            attributes="",
        )

    assert sg.load(text("mole", "mole")).items_per_extent == MOLE
    (issue,) = [i for i in sg.check(text("mole", "item")) if i.code == "units_ambiguous"]
    assert (issue.severity, issue.blocks, issue.element) == (Severity.ERROR, {"ssa"}, "m")
    assert "extent" in issue.message
