"""Data in other units than the model's are refused by `fit`, not fitted to wrong rates."""

from __future__ import annotations

from pathlib import Path

import pytest

import sbmlgrad as sg
from sbmlgrad.errors import DataError
from sbmlgrad.fit.problems.checks import check_units
from sbmlgrad.fit.problems.mapped import mapped_problem
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.io.mapping_file import load_mapping
from sbmlgrad.io.tables.substances import substance_of
from sbmlgrad.model.problem import Problem
from sbmlgrad.model.units import AVOGADRO

TELEGRAPH = Path(__file__).parents[3] / "models" / "sbml" / "telegraph.xml"


@pytest.mark.parametrize("engine", [None, sg.engines.ODE()])
def test_data_in_another_unit_of_time_are_refused(tmp_path, engine) -> None:
    file = tmp_path / "hours.csv"
    file.write_text("time [h],M\n0,0\n1,5\n2,7\n")
    with pytest.raises(DataError, match="wrong by a factor of 60"):
        sg.fit(sg.load(TELEGRAPH), sg.load_measurements(file), ["k_on"], engine=engine, seed=1)


def test_converted_when_they_are_read_they_are_taken(tmp_path) -> None:
    file = tmp_path / "hours.csv"
    file.write_text("time [h],M\n0,0\n0.5,4\n1,7\n")
    data = sg.load_measurements(file, time_unit="minute")
    assert data.time.tolist() == [0.0, 30.0, 60.0]
    fitted = sg.fit(
        sg.load(TELEGRAPH), data, ["k_on"], epochs=2, trajectories=16, seed=1, refine=False
    )
    assert set(fitted.values) == {"k_on"}


def model(substance: str, *, volume: str = "unit volume = litre;", size: str = "1e-12") -> str:
    """Return a model of a concentration X and an amount Y, in a unit of substance."""
    return f"""
    unit substance = {substance}; unit extent = {substance}; {volume}
    compartment c = {size}; species X in c; substanceOnly species Y in c; species X2 in c;
    X = 0; X2 = 0; Y = 0; k = 1;
    make: -> X; c*k; grow: -> Y; k; pair: 2 X -> X2; c*k*X^2;
    """


NANO, ITEM = "1e-9 mole", "item"

#: Unit of substance, column with its unit, model options, and what the message says.
WRONG = {
    "micro against nano": (NANO, "X [uM]", {}, "nanomole per litre, so .* a factor of 0.001"),
    "greek letter": (NANO, "X [µmol/l]", {}, "column 'X' is in µmol/l.*a factor of 0.001"),
    "litre as a power": (NANO, "X [pmol l^-1]", {}, "a factor of 1000"),
    "per cubic metre": (NANO, "X [mol m-3]", {}, "a factor of 1e-06"),
    "other volume": (
        NANO,
        "X [nM]",
        {"volume": "unit volume = 1e-15 litre;"},
        "nanomole per 1e-15 litre.*a factor of 1e.15",
    ),
    "cubic micrometres": (NANO, "X [M]", {"volume": "unit volume = (1e-6 metre)^3;"}, "1e.06"),
    "amounts": (NANO, "Y [pmol]", {}, "'Y' of the model is an amount in nanomole.* of 1000"),
    "amount for a concentration": (NANO, "X [nmol]", {}, "a factor of 1e-12"),
    "concentration for an amount": (NANO, "Y [nM]", {}, "a factor of 1e.12"),
    "molecules for nanomole": (NANO, "Y [molecules]", {}, "a factor of 6.02214e.14"),
    "molar for molecules": (ITEM, "Y [nM]", {"volume": ""}, "counted in molecules, .* no single"),
    "volume that changes": (NANO, "Y [nM]", {"size": "1; c := 1 + time"}, "no single factor"),
}

#: The same, where units agree or one of them is not known.
RIGHT = {
    "same": (NANO, "X [nM]", {}),
    "same by the litre": (NANO, "X [nmol/L]", {}),
    "same by the cubic decimetre": (NANO, "X [nmol dm^-3]", {}),
    "same amounts": (NANO, "Y [nmol]", {}),
    "amount in one litre": (NANO, "Y [nM]", {"size": "1"}),
    "molecules": (ITEM, "Y [copies/cell]", {}),
    "no unit in the header": (NANO, "X", {}),
    "unit that is no substance": (NANO, "X [a.u.]", {}),
    "no unit of volume": (NANO, "X [uM]", {"volume": ""}),
    "surface": (NANO, "X [uM]", {"volume": "unit volume = (1 metre)^2;"}),
    # Molecules per 602.214 of an unnamed unit, the cubic micrometre, are nM.
    "molecules by the nM": (ITEM, "X [nM]", {"volume": "", "size": "602.214"}),
    "the same by a number": (
        ITEM,
        "X [nM]",
        {"volume": "unit volume = 1 dimensionless;", "size": "602.214"},
    ),
}


def problem(tmp_path, substance, column, options, mapping="") -> Problem:
    file = tmp_path / "d.csv"
    if "conditions" in mapping:
        file.write_text(f"time,condition,{column}\n0,small,0\n1,small,1\n")
    else:
        file.write_text(f"time,{column}\n0,0\n1,1\n")
    network = sg.load(model(substance, **options))
    data = sg.load_measurements(file)
    if not mapping:
        return plain_problem(network, data, ["k"])[0]
    (tmp_path / "map.toml").write_text(f'[[observables]]\nnoiseFormula = "1"\n{mapping}\n')
    return mapped_problem(network, data, load_mapping(tmp_path / "map.toml", network), ["k"])


@pytest.mark.parametrize(("substance", "column", "options", "said"), WRONG.values(), ids=WRONG)
def test_other_units_of_substance_are_refused(tmp_path, substance, column, options, said) -> None:
    with pytest.raises(DataError, match=said):
        check_units(problem(tmp_path, substance, column, options))


@pytest.mark.parametrize(("substance", "column", "options"), RIGHT.values(), ids=RIGHT)
def test_same_or_unknown_units_of_substance_are_taken(tmp_path, substance, column, options) -> None:
    check_units(problem(tmp_path, substance, column, options))


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ('observableId = "X"', "a factor of 0.001"),
        ('observableId = "X"\nscale = 1000', "scale 1000 is upside down; write scale = 0.001"),
        ('observableId = "X"\nunit = "nM"', "in uM by the data and in nM by the mapping file"),
        ('observableId = "Z"\ncolumn = "X"\nformula = "X + 2*X2"', "column of 'Z' is in uM"),
        ('observableId = "X"\noffset = "0.1"', "a factor of 0.001"),
    ],
)
def test_a_mapping_that_does_not_turn_one_unit_into_the_other_is_refused(
    tmp_path, mapping, said
) -> None:
    with pytest.raises(DataError, match=said):
        check_units(problem(tmp_path, NANO, "X [uM]", {}, mapping))


@pytest.mark.parametrize(
    "mapping",
    [
        'observableId = "X"\nscale = 0.001',
        'observableId = "X"\nformula = "X/1000"',
        'observableId = "Z"\ncolumn = "X"\nformula = "(X + 2*X2)/1000"',
        'observableId = "X"\nscale = "k"',  # a scale that may be fitted
        'observableId = "X"\nscale = 0.0005',  # half of it is seen
    ],
)
def test_a_mapping_that_says_how_the_column_follows_is_taken(tmp_path, mapping) -> None:
    check_units(problem(tmp_path, NANO, "X [uM]", {}, mapping))


@pytest.mark.parametrize(
    ("substance", "column", "options"),
    [
        (NANO, "X [uM]", {}),
        ("mole", "X [nM]", {}),  # declared, and numbers are nM all the same
        (ITEM, "X [nM]", {}),
        (ITEM, "Y [nM]", {"volume": ""}),
    ],
)
def test_a_scale_of_one_that_is_written_overrules_the_model(
    tmp_path, substance, column, options
) -> None:
    told = f'observableId = "{column[0]}"'
    with pytest.raises(DataError, match="1 if its numbers are those of the species after all"):
        check_units(problem(tmp_path, substance, column, options, told))
    check_units(problem(tmp_path, substance, column, options, told + "\nscale = 1"))


SMALL = '[[conditions]]\nconditionId = "small"\nvalues = {c = 0.001}'


@pytest.mark.parametrize("column", ["X [pmol]", "Y [uM]", "X [nmol]"])
def test_a_size_that_a_condition_sets_is_not_that_of_the_model(tmp_path, column) -> None:
    """1 nM in 1 ml is 1 pmol."""
    told = f'observableId = "{column[0]}"'
    with pytest.raises(DataError, match=r"a factor of \S+; convert"):
        check_units(problem(tmp_path, NANO, column, {"size": "2"}, told))
    check_units(problem(tmp_path, NANO, column, {"size": "2"}, f"{told}\n{SMALL}"))


def test_concentrations_are_compared_whatever_size_a_condition_sets(tmp_path) -> None:
    with pytest.raises(DataError, match=r"a factor of 0\.001;"):
        check_units(problem(tmp_path, NANO, "X [uM]", {}, f'observableId = "X"\n{SMALL}'))


def test_the_unit_of_the_mapping_counts_where_the_header_has_none(tmp_path) -> None:
    told = 'observableId = "X"\nunit = "uM"'
    with pytest.raises(DataError, match="column 'X' is in uM"):
        check_units(problem(tmp_path, NANO, "X", {}, told))
    check_units(problem(tmp_path, NANO, "X", {}, told + "\nscale = 0.001"))


@pytest.mark.parametrize(
    ("unit", "molecules", "is_concentration"),
    [
        ("M", AVOGADRO, True),
        ("μM", 1e-6 * AVOGADRO, True),
        ("fM", 1e-15 * AVOGADRO, True),
        ("micromolar", 1e-6 * AVOGADRO, True),
        ("pmol/µL", 1e-6 * AVOGADRO, True),
        ("mmol per litre", 1e-3 * AVOGADRO, True),
        ("nmol L⁻¹", 1e-9 * AVOGADRO, True),
        ("umol l−1", 1e-6 * AVOGADRO, True),
        ("nmol/litres", 1e-9 * AVOGADRO, True),
        ("mol/m³", 1e-3 * AVOGADRO, True),
        ("moles", AVOGADRO, False),
        ("nanomole", 1e-9 * AVOGADRO, False),
        ("copies per cell", 1.0, False),
    ],
)
def test_units_of_substance_are_read(unit, molecules, is_concentration) -> None:
    found = substance_of(unit)
    assert found is not None
    assert found.is_concentration is is_concentration
    assert found.molecules == pytest.approx(molecules, rel=1e-12)


@pytest.mark.parametrize("unit", ["", "1", "counts", "AU", "nm", "MM", "ng/ml", "mol l", "mol/l-1"])
def test_what_is_no_unit_of_substance_is_none(unit) -> None:
    assert substance_of(unit) is None
