"""What a model lends its elements is kept when a hierarchical document is flattened."""

from __future__ import annotations

from math import exp
from pathlib import Path

import pytest
from sbml_parts import composed, constant, part, replacing, submodel
from sbml_text import ITEMS, compartment, model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.model.units import AVOGADRO

MOLES = ITEMS.replace("item", "mole")
OUTER = model(parameters=[constant("u", 11)], compartments=[])


def decay(**more: object) -> str:
    given = {"species": [species("X")], "parameters": [parameter("k", 0.5), constant("c", 4)]}
    return model(reaction("J", "k*X", "X"), **{**given, **more})  # pyright: ignore[reportArgumentType]


def item_counts(text: str | Path) -> dict[str, float]:
    return {s.id: s.items_per_substance for s in sg.load(text).species}


def after(text: str, time: float, symbol: str) -> float:
    solution = sg.simulate(sg.load(text), times=[time], engine=sg.engines.ODE())
    return float(solution.mean(symbol)[-1])


# --- units and conversion factors of a model ------------------------------------------------------


def test_species_of_a_submodel_keep_the_unit_of_their_model() -> None:
    text = composed(OUTER, submodel("A", "inner"), inner=decay(attributes=MOLES))
    assert item_counts(text) == {"A__X": AVOGADRO}


def test_a_unit_that_the_submodel_defines() -> None:
    dozen = (
        '<unitDefinition id="substance_unit"><listOfUnits><unit kind="item" exponent="1" scale="0" '
        'multiplier="12"/></listOfUnits></unitDefinition>'
    )
    inner = decay(units=[dozen], attributes=ITEMS.replace('"item"', '"substance_unit"', 1))
    text = composed(OUTER, submodel("A", "inner"), submodel("B", "inner"), inner=inner)
    assert item_counts(text) == {"A__X": 12.0, "B__X": 12.0}


def test_a_species_with_a_unit_of_its_own_keeps_it() -> None:
    inner = decay(species=[species("X", substanceUnits="item")], attributes=MOLES)
    assert item_counts(composed(OUTER, submodel("A", "inner"), inner=inner)) == {"A__X": 1.0}


def test_models_in_other_files_keep_theirs(tmp_path: Path) -> None:
    (tmp_path / "inner.xml").write_text(decay(attributes=MOLES))
    external = (
        "<comp:listOfExternalModelDefinitions>"
        '<comp:externalModelDefinition comp:id="inner" comp:source="inner.xml"/>'
        "</comp:listOfExternalModelDefinitions>"
    )
    # The same file is named by the document and by another file.
    middle = composed(OUTER, submodel("B", "inner")).replace("</sbml>", f"{external}</sbml>")
    (tmp_path / "middle.xml").write_text(middle)
    external = external.replace(
        "/></comp",
        '/><comp:externalModelDefinition comp:id="middle" comp:source="middle.xml"/></comp',
    )
    text = composed(OUTER, submodel("A", "inner"), submodel("C", "middle"))
    (tmp_path / "main.xml").write_text(text.replace("</sbml>", f"{external}</sbml>"))
    assert item_counts(tmp_path / "main.xml") == {"A__X": AVOGADRO, "C__B__X": AVOGADRO}


def with_factor(text: str, name: str) -> str:
    return text.replace("<model ", f'<model conversionFactor="{name}" ', 1)


def test_the_conversion_factor_of_a_model_is_for_its_own_species() -> None:
    """dX/dt = -c k X with the inner model's c = 4, or none; the outer model's u = 11 is not X's."""
    outer = with_factor(OUTER, "u")
    for inner, factor in ((with_factor(decay(), "c"), 4.0), (decay(), 1.0)):
        text = composed(outer, submodel("A", "inner"), inner=inner)
        assert after(text, 0.5, "A__X") == pytest.approx(10.0 * exp(-0.25 * factor), rel=1e-6)


def test_species_of_the_outer_model_have_its_factor() -> None:
    outer = model(
        species=[replacing(species("Y"), ("A", "X")), species("Z", conversionFactor="v")],
        parameters=[constant("u", 3), constant("v", 5)],
    )
    text = composed(with_factor(outer, "u"), submodel("A", "inner"), inner=decay())
    assert after(text, 0.5, "Y") == pytest.approx(10.0 * exp(-0.25 * 3.0), rel=1e-6)
    assert {s.id: s.conversion_factor for s in sg.load(text).species} == {"Y": "u", "Z": "v"}


# --- local parameters -----------------------------------------------------------------------------


def test_a_local_parameter_does_not_catch_the_symbol_that_replaces_another() -> None:
    """The law is k*kk*X with a local kk of 0.5 and a global k, which the outer kk = 2 replaces."""
    inner = model(
        reaction("J", "k*kk*X", "X", local={"kk": 0.5}),
        species=[species("X")],
        parameters=[parameter("k", 7.0)],
    )
    outer = model(parameters=[replacing(parameter("kk", 2.0), ("A", "k"))], compartments=[])
    text = composed(outer, submodel("A", "inner"), inner=inner)
    assert after(text, 0.5, "A__X") == pytest.approx(10.0 * exp(-0.5), rel=1e-6)


def test_a_local_parameter_does_not_catch_a_time_conversion_factor() -> None:
    inner = model(reaction("J", "k*t*X", "X", local={"k": 0.5, "t": 3.0}), species=[species("X")])
    outer = model(parameters=[constant("t", 2)], compartments=[])
    text = composed(outer, submodel("A", "inner", time="t"), inner=inner)
    assert after(text, 0.5, "A__X") == pytest.approx(10.0 * exp(-0.5 * 1.5 / 2.0), rel=1e-6)


def test_local_parameters_keep_their_names_where_nothing_is_caught() -> None:
    inner = model(
        reaction("J", "k*X", "X", local={"k": 0.5}),
        species=[species("X")],
        parameters=[parameter("k", 7.0), parameter("a__local")],
    )
    text = composed(OUTER, submodel("A", "middle"), middle=part(OUTER, submodel("B", "inner")),
                    inner=inner)  # fmt: skip
    network = sg.load(text)
    assert "A__B__J.k" in network.parameter_ids
    assert after(text, 0.5, "A__B__X") == pytest.approx(10.0 * exp(-0.25), rel=1e-6)


DELETED = model(
    reaction("J", "k*X", "X", local={"k": 0.5}),
    species=[species("X")],
    parameters=[parameter("k", 2.0)],
).replace("<localParameter ", '<localParameter metaid="p" ')


def test_a_local_parameter_that_is_deleted_leaves_its_name_to_the_global_one() -> None:
    text = composed(
        OUTER, submodel("A", "inner", deletions=("p",)), submodel("B", "inner"), inner=DELETED
    )
    assert after(text, 0.5, "A__X") == pytest.approx(10.0 * exp(-1.0), rel=1e-6)
    assert after(text, 0.5, "B__X") == pytest.approx(10.0 * exp(-0.25), rel=1e-6)


def test_one_that_is_deleted_somewhere_and_could_catch_a_symbol_is_refused() -> None:
    outer = model(parameters=[parameter("k", 3.0)], compartments=[])
    text = composed(outer, submodel("A", "inner", deletions=("p",)), inner=DELETED)
    assert [(i.code, i.element) for i in sg.check(text) if i.blocks] == [("comp_flattening", "J/k")]


def test_units_of_the_whole_are_those_of_the_outer_model() -> None:
    text = composed(OUTER, submodel("A", "inner"), inner=decay(compartments=[compartment()]))
    network = sg.load(text)
    assert (network.extent_unit, network.time_unit) == ("item", "second")
    assert item_counts(text) == {"A__X": 1.0}
