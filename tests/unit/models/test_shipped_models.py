"""The files in `models/`: up to date, consistent SBML, and what the papers say."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import libsbml
import openpyxl
import pytest

MODELS = Path(__file__).resolve().parents[3] / "models"
SCRIPT = MODELS / "make_models.py"
CSV = "data/influenza_england_1978.csv"
XLSX = "data/influenza_england_1978.xlsx"

#: Model → (species → initial count, parameter → value, unit of time in seconds).
FACTS = {
    "gating_two_states": ({"O": 1, "C": 0}, {"k_close": 1, "k_open": 0.1}, 0.001),
    "gating_three_states": (
        {"O": 1, "C": 0, "P": 0},
        {"k_close": 1, "k_open": 0.1, "k_pause": 1, "k_resume": 10},
        0.001,
    ),
    "osmotic_shock": (
        {
            **{"before": 1, **{f"waiting_{i}": 0 for i in range(1, 9)}},
            **{"gene_off": 0, "gene_on": 0, "late_off": 0, "late_on": 0, "M": 0},
        },
        {
            **{"k_leak": 10, "k_begin": 15, "k_wait": 1, "k_on": 0.5, "k_off": 1},
            **{"k_adapt": 0.1, "k_on_late": 0.1, "k_transcription": 15, "k_decay": 0.1},
        },
        60.0,
    ),
    "dimerization": ({"A": 100, "B": 90, "C": 0}, {"k1": 0.01, "k2": 0.32}, 1.0),
    "oscillator": (
        {
            **{"DA": 1, "DA_prime": 0, "DR": 1, "DR_prime": 0},
            **{"MA": 0, "MR": 0, "A": 0, "R": 0, "C": 0},
        },
        {
            **{"alpha_A": 50, "alpha_A_prime": 500, "alpha_R": 0.01, "alpha_R_prime": 50},
            **{"beta_A": 50, "beta_R": 5, "delta_MA": 10, "delta_MR": 0.5, "delta_A": 1},
            **{"delta_R": 0.2, "gamma_A": 1, "gamma_R": 1, "gamma_C": 2, "theta_A": 50},
            **{"theta_R": 100},
        },
        3600.0,
    ),
    "ion_channel": ({"C": 2, "O": 0, "I": 0}, {"c_o": 0.75, "o_c": 0.103, "o_i": 1.159}, 0.001),
    "birth_death": ({"X": 100}, {"lambda": 0.1, "mu": 0.11}, 1.0),
    "immigration_death": ({"X": 0}, {"alpha": 1, "mu": 0.1}, 1.0),
    "telegraph": (
        {"gene_off": 1, "gene_on": 0, "M": 0},
        {"k_on": 0.05, "k_off": 0.2, "k_transcription": 2, "k_decay": 0.05},
        60.0,
    ),
    "sir": ({"S": 760, "I": 3, "R": 0}, {"beta": 1.5, "gamma": 0.5, "N": 763}, 86400.0),
}

#: Model → (reactants, products, kinetic law, reversible), in document order.
REACTIONS = {
    "gating_two_states": [("O", "C", "k_close * O", False), ("C", "O", "k_open * C", False)],
    "gating_three_states": [
        ("O", "C", "k_close * O", False),
        ("C", "O", "k_open * C", False),
        ("O", "P", "k_pause * O", False),
        ("P", "O", "k_resume * P", False),
    ],
    "osmotic_shock": [
        ("before", "before M", "k_leak * before", False),
        ("before", "waiting_1", "k_begin * before", False),
        *(
            (f"waiting_{i}", f"waiting_{i + 1}", f"k_wait * waiting_{i}", False)
            for i in range(1, 8)
        ),
        ("waiting_8", "gene_off", "k_wait * waiting_8", False),
        ("gene_off", "gene_on", "k_on * gene_off", False),
        ("gene_on", "gene_off", "k_off * gene_on", False),
        ("gene_off", "late_off", "k_adapt * gene_off", False),
        ("gene_on", "late_on", "k_adapt * gene_on", False),
        ("late_off", "late_on", "k_on_late * late_off", False),
        ("late_on", "late_off", "k_off * late_on", False),
        ("gene_on", "gene_on M", "k_transcription * gene_on", False),
        ("late_on", "late_on M", "k_transcription * late_on", False),
        ("M", "", "k_decay * M", False),
    ],
    "dimerization": [("A B", "C", "k1 * A * B - k2 * C", True)],
    "oscillator": [
        ("A DA", "DA_prime", "gamma_A * A * DA", False),
        ("DA_prime", "A DA", "theta_A * DA_prime", False),
        ("A DR", "DR_prime", "gamma_R * A * DR", False),
        ("DR_prime", "A DR", "theta_R * DR_prime", False),
        ("DA_prime", "DA_prime MA", "alpha_A_prime * DA_prime", False),
        ("DA", "DA MA", "alpha_A * DA", False),
        ("DR_prime", "DR_prime MR", "alpha_R_prime * DR_prime", False),
        ("DR", "DR MR", "alpha_R * DR", False),
        ("MA", "", "delta_MA * MA", False),
        ("MR", "", "delta_MR * MR", False),
        ("MA", "MA A", "beta_A * MA", False),
        ("MR", "MR R", "beta_R * MR", False),
        ("A R", "C", "gamma_C * A * R", False),
        ("A", "", "delta_A * A", False),
        ("R", "", "delta_R * R", False),
        ("C", "R", "delta_A * C", False),
    ],
    "ion_channel": [("C", "O", "c_o * C - o_c * O", True), ("O", "I", "o_i * O", False)],
    "birth_death": [("X", "X X", "lambda * X", False), ("X", "", "mu * X", False)],
    "immigration_death": [("", "X", "alpha", False), ("X", "", "mu * X", False)],
    "telegraph": [
        ("gene_off", "gene_on", "k_on * gene_off - k_off * gene_on", True),
        ("gene_on", "gene_on M", "k_transcription * gene_on", False),
        ("M", "", "k_decay * M", False),
    ],
    "sir": [("S I", "I I", "beta * S * I / N", False), ("I", "R", "gamma * I", False)],
}

IN_BED = [3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4]

each_model = pytest.mark.parametrize("name", sorted(FACTS))


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--check", "--folder", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for part in ("sbml", "data"):
        shutil.copytree(MODELS / part, tmp_path / part)
    shutil.copy(MODELS / "README.md", tmp_path)
    return tmp_path


@pytest.fixture
def document(name: str) -> Any:
    return libsbml.readSBMLFromFile(str(MODELS / "sbml" / f"{name}.xml"))


def test_files_agree_with_their_descriptions() -> None:
    result = check(MODELS)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_exactly_these_models_are_shipped() -> None:
    assert {path.stem for path in (MODELS / "sbml").glob("*.xml")} == set(FACTS)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("sbml/sir.xml", b'value="1.5"', b'value="1.6"'),
        (CSV, b"5,298", b"5,299"),
        ("README.md", b"| 16 |", b"| 15 |"),
    ],
)
def test_check_names_a_file_that_differs(copy: Path, name: str, old: bytes, new: bytes) -> None:
    before = (copy / name).read_bytes()
    assert before.count(old) == 1
    (copy / name).write_bytes(before.replace(old, new))
    result = check(copy)
    assert result.returncode == 1
    assert result.stderr == f"{name}: differs from its description\n"


def test_check_finds_a_changed_cell_and_a_second_sheet(copy: Path) -> None:
    for change in ("cell", "sheet"):
        workbook = openpyxl.load_workbook(MODELS / XLSX)
        if change == "cell":
            workbook.worksheets[0]["B2"] = 4
        else:
            workbook.create_sheet("notes")
        workbook.save(copy / XLSX)
        result = check(copy)
        assert result.returncode == 1
        assert result.stderr == f"{XLSX}: differs from its description\n"


def test_check_ignores_when_a_workbook_was_saved(copy: Path) -> None:
    openpyxl.load_workbook(MODELS / XLSX).save(copy / XLSX)
    assert (copy / XLSX).read_bytes() != (MODELS / XLSX).read_bytes()
    assert check(copy).returncode == 0


def test_check_finds_missing_stray_and_broken_files(copy: Path) -> None:
    (copy / "sbml/sir.xml").unlink()
    (copy / "sbml/stray.xml").write_text("<sbml/>")
    (copy / XLSX).write_bytes(b"no workbook")
    result = check(copy)
    assert result.returncode == 1
    assert set(result.stderr.splitlines()) == {
        "sbml/sir.xml: missing",
        "sbml/stray.xml: no description in the catalogue",
        f"{XLSX}: differs from its description",
    }


def test_writing_is_complete_and_repeatable(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--folder", str(tmp_path)]
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    written = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert {line.removeprefix("written: ") for line in first.stdout.splitlines()} == written
    for name in written - {XLSX}:
        assert (tmp_path / name).read_bytes() == (MODELS / name).read_bytes()
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert second.stdout == ""


@each_model
def test_libsbml_finds_nothing(document: Any) -> None:
    # Every category is on, units and modelling practice included; warnings count too.
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, True)
    document.checkConsistency()
    assert [document.getError(i).getMessage() for i in range(document.getNumErrors())] == []


@each_model
def test_counts_and_units(name: str, document: Any) -> None:
    counts, _, seconds = FACTS[name]
    model = document.getModel()
    assert (document.getLevel(), document.getVersion(), model.getId()) == (3, 1, name)
    assert (model.getSubstanceUnits(), model.getExtentUnits()) == ("item", "item")
    species = [model.getSpecies(i) for i in range(model.getNumSpecies())]
    assert {s.getId(): s.getInitialAmount() for s in species} == counts
    assert all(s.getHasOnlySubstanceUnits() for s in species)
    assert {s.getSubstanceUnits() for s in species} == {"item"}
    assert not any(s.getConstant() or s.getBoundaryCondition() for s in species)
    time = model.getUnitDefinition(model.getTimeUnits())
    if time is None:
        assert (model.getTimeUnits(), seconds) == ("second", 1.0)
    else:
        [unit] = [time.getUnit(i) for i in range(time.getNumUnits())]
        assert (unit.getKind(), unit.getExponent()) == (libsbml.UNIT_KIND_SECOND, 1)
        assert unit.getMultiplier() * 10.0 ** unit.getScale() == seconds


@each_model
def test_parameters(name: str, document: Any) -> None:
    model = document.getModel()
    parameters = [model.getParameter(i) for i in range(model.getNumParameters())]
    assert {p.getId(): p.getValue() for p in parameters} == FACTS[name][1]
    assert all(p.getConstant() and p.isSetUnits() for p in parameters)


@each_model
def test_reactions(name: str, document: Any) -> None:
    def side(references: Any) -> Counter[str]:
        return Counter({r.getSpecies(): int(r.getStoichiometry()) for r in references})

    model = document.getModel()
    found = [model.getReaction(i) for i in range(model.getNumReactions())]
    assert len(found) == len(REACTIONS[name])
    for reaction, (reactants, products, law, reversible) in zip(
        found, REACTIONS[name], strict=True
    ):
        assert side(reaction.getListOfReactants()) == Counter(reactants.split())
        assert side(reaction.getListOfProducts()) == Counter(products.split())
        formula = libsbml.formulaToL3String(reaction.getKineticLaw().getMath())
        assert (formula, reaction.getReversible()) == (law, reversible)
        assert reaction.getKineticLaw().getNumLocalParameters() == 0


@each_model
def test_every_element_has_a_name_and_the_model_a_source(document: Any) -> None:
    model = document.getModel()
    parts = (
        *model.getListOfUnitDefinitions(),
        *model.getListOfCompartments(),
        *model.getListOfSpecies(),
        *model.getListOfParameters(),
        *model.getListOfReactions(),
    )
    assert [part.getId() for part in (model, *parts) if not part.getName()] == []
    term = model.getCVTerm(0)
    assert (model.getNumCVTerms(), term.getNumResources()) == (1, 1)
    assert term.getModelQualifierType() == libsbml.BQM_IS_DESCRIBED_BY
    doi = term.getResourceURI(0).removeprefix("https://identifiers.org/doi:")
    assert doi.startswith("10.")
    assert f'href="https://doi.org/{doi}"' in model.getNotesString()
    assert model.getNotesString().count("<p ") == 1


@each_model
def test_loads_without_any_issue(name: str) -> None:
    from sbmlgrad.io.formats import examine

    network, issues = examine(MODELS / "sbml" / f"{name}.xml")
    assert issues == ()
    assert network is not None
    counts, values, _ = FACTS[name]
    assert network.species_ids == tuple(counts)
    assert dict(zip(network.parameter_ids, network.parameter_values, strict=True)) == values
    assert len(network.reactions) == len(REACTIONS[name])


def test_closed_population_is_that_of_the_data() -> None:
    counts, parameters, _ = FACTS["sir"]
    assert sum(counts.values()) == parameters["N"] == 763
    assert counts["I"] == IN_BED[0]


def test_csv_and_spreadsheet_hold_the_same_counts() -> None:
    wanted = [["time", "I"], *([day, count] for day, count in enumerate(IN_BED))]
    with (MODELS / CSV).open(newline="") as file:
        header, *rows = csv.reader(file)
    assert [header, *([int(cell) for cell in row] for row in rows)] == wanted
    workbook = openpyxl.load_workbook(MODELS / XLSX)
    assert workbook.sheetnames == ["influenza"]
    assert [list(row) for row in workbook["influenza"].iter_rows(values_only=True)] == wanted


def test_spreadsheet_cites_its_source_in_its_properties() -> None:
    properties = openpyxl.load_workbook(MODELS / XLSX).properties
    assert "1978" in properties.title
    assert "British Medical Journal 1978;1:587" in properties.description
