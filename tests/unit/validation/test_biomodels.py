"""The repository campaign: what counts as right, what a file says, and how it is summed up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from biomodels import judge
from peers.protocol import Answer
from suites.biomodels_files import features, in_items, species_of
from suites.biomodels_judge import disagreement, structural_faults, usable
from suites.biomodels_report import confirmation, report, tier

N = 400


def counts(rng: np.random.Generator, mean: float = 20.0) -> np.ndarray:
    """Amounts [trajectory, time, species]: constant at first, then Poisson."""
    values = rng.poisson(mean, (N, 3, 2)).astype(float)
    values[:, 0, :] = 7.0
    return values


def test_right_samples_hardly_ever_disagree() -> None:
    rng = np.random.default_rng(1)
    alarms = sum(disagreement(counts(rng), counts(rng), 0.1).any() for _ in range(100))
    # At most 10 expected; 25 has a chance below 1e-5.
    assert alarms <= 25


@pytest.mark.parametrize(
    ("spoil", "which"),
    [
        (lambda x: x * [1.0, 1.1], 0),
        (lambda x: 20.0 + 1.5 * (x - 20.0), 1),
        (lambda x: np.where(x == 7.0, 8.0, x), 0),
        (lambda x: np.full_like(x, 20.0), 1),
    ],
)
def test_planted_differences_are_found(spoil: Any, which: int) -> None:
    rng = np.random.default_rng(2)
    assert disagreement(counts(rng), spoil(counts(rng)))[which].any()


def test_constants_may_differ_by_a_unit_conversion_only() -> None:
    ours = np.full((10, 1, 1), 3.0)
    assert not disagreement(ours, ours * (1.0 + 1e-12)).any()
    assert disagreement(ours, ours * 1.001).any()


def test_amounts_below_zero_or_not_finite_are_not_usable() -> None:
    assert usable(np.zeros((2, 2, 1)))
    assert not usable(np.array([[[-0.5]]]))
    assert not usable(np.array([[[np.nan]]]))


def test_verdicts() -> None:
    rng = np.random.default_rng(3)
    ours, theirs = counts(rng), counts(rng)
    assert judge(Answer("timeout"), ours, ()) == "timeout"
    assert judge(Answer("ran", values=theirs), ours, ()) == "right"
    assert judge(Answer("ran", values=theirs), None, ()) == "not judged"
    assert judge(Answer("ran", values=theirs + 5.0), ours, ()) == "disagrees"
    assert judge(Answer("ran", values=theirs), ours, ("takes mole for molecules",)) == "wrong"
    assert judge(Answer("ran", values=theirs - 50.0), ours, ()) == "wrong"
    # From 3 molecules instead of 2, where the document says 2.5.
    assert judge(Answer("ran", values=theirs + 5.0), ours, (), rounded=True) == "other start"
    moved = theirs.copy()
    moved[:, 1:] += 5.0
    moved[:, 0] = ours[:, 0]
    assert judge(Answer("ran", values=moved), ours, (), rounded=True) == "disagrees"


def test_faults_are_those_of_the_peer() -> None:
    constructs = frozenset({"mole", "boundary", "event"})
    assert structural_faults("copasi", constructs) == ()
    assert structural_faults("roadrunner", constructs) == ("takes mole for molecules",)
    assert len(structural_faults("gillespy2", constructs)) == 2


LEVEL_2 = """<?xml version="1.0"?>
<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m">
{functions}
<listOfUnitDefinitions><unitDefinition id="substance"><listOfUnits>
<unit kind="{unit}"/></listOfUnits></unitDefinition></listOfUnitDefinitions>
<listOfCompartments><compartment id="c" size="1"/></listOfCompartments>
<listOfSpecies><species id="X" compartment="c" initialAmount="5" boundaryCondition="{boundary}"/>
<species id="Y" compartment="c" initialAmount="5"/></listOfSpecies>
<listOfParameters><parameter id="k" value="1"/><parameter id="p" constant="false"/>
</listOfParameters>
<listOfRules><assignmentRule variable="p"><math xmlns="http://www.w3.org/1998/Math/MathML">{rule}
</math></assignmentRule></listOfRules>
<listOfReactions><reaction id="J" reversible="{reversible}">
<listOfReactants><speciesReference species="X"/></listOfReactants>
<listOfProducts><speciesReference species="Y"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">{law}</math></kineticLaw>
</reaction></listOfReactions></model></sbml>
"""
TIME_URL = "http://www.sbml.org/sbml/symbols/time"
TIME = f'<csymbol encoding="text" definitionURL="{TIME_URL}"> t </csymbol>'
FUNCTION = """<listOfFunctionDefinitions><functionDefinition id="f">
<math xmlns="http://www.w3.org/1998/Math/MathML"><lambda><bvar><ci> a </ci></bvar>
<bvar><ci> b </ci></bvar><apply><minus/><ci> a </ci><ci> b </ci></apply></lambda></math>
</functionDefinition></listOfFunctionDefinitions>"""
PLAIN = {
    "functions": "",
    "unit": "item",
    "boundary": "false",
    "rule": "<ci> k </ci>",
    "reversible": "false",
    "law": "<ci> p </ci>",
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"unit": "mole"}, {"mole"}),
        ({"boundary": "true"}, {"boundary"}),
        ({"rule": TIME}, {"time_in_law"}),
        (
            {"reversible": "true", "law": "<apply><minus/><ci> X </ci><ci> Y </ci></apply>"},
            {"reversible_difference"},
        ),
        (
            {
                "reversible": "true",
                "functions": FUNCTION,
                "law": "<apply><ci> f </ci><ci> X </ci><ci> Y </ci></apply>",
            },
            {"reversible_difference"},
        ),
        ({"law": "<apply><minus/><ci> X </ci><ci> Y </ci></apply>"}, set()),
    ],
)
def test_features(tmp_path: Path, changes: dict[str, str], expected: set[str]) -> None:
    path = tmp_path / "m.xml"
    path.write_text(LEVEL_2.format(**(PLAIN | changes)), encoding="utf-8")
    assert features(path) == expected


def test_numbers_become_molecules(tmp_path: Path) -> None:
    path = tmp_path / "m.xml"
    path.write_text(LEVEL_2.format(**(PLAIN | {"unit": "mole"})), encoding="utf-8")
    again = tmp_path / "again.xml"
    again.write_bytes(in_items(path))
    assert features(again) == set()
    assert b'initialAmount="5"' in again.read_bytes()
    assert species_of(again, 50) == ("X", "Y")
    assert species_of(again, 1) == ("X",)


def test_a_file_that_is_no_sbml_has_no_features(tmp_path: Path) -> None:
    path = tmp_path / "m.xml"
    path.write_text("not a model", encoding="utf-8")
    assert features(path) == set()
    assert species_of(path, 50) == ()


def record(outcome: str, verdict: str = "right", **more: Any) -> dict[str, Any]:
    attempt = {"options": {}, "outcome": outcome, "codes": ["delay"], "message": "m", **more}
    if outcome == "simulated":
        attempt |= {"horizon": 1.0, "firings": 3}
    return {
        "model": "BIOMD0000000012",
        "ours": {"attempts": [attempt], "ode": {"outcome": "ran", "near": True}},
        "peers": {"copasi": {"verdict": verdict, "faults": [], "as_it_stands": "ran"}},
    }


def test_what_became_of_a_file() -> None:
    assert tier(record("simulated")) == "simulated as it stands"
    assert tier(record("refused")) == "refused"
    assert tier(record("too_many_firings")) == "too_many_firings"
    crashed = record("refused")
    crashed["ours"]["ending"] = "crash while sampling"
    assert tier(crashed) == "crash"


def test_confirmation_needs_somebody() -> None:
    assert confirmation(record("simulated")) == "by another simulator"
    assert confirmation(record("simulated", "disagrees")) == "another simulator disagrees"
    assert confirmation(record("simulated", "timeout")) == "by the rate equations"
    alone = record("simulated", "timeout")
    alone["ours"]["ode"] = {"outcome": "failed"}
    assert confirmation(alone) == "by nothing here"


def test_the_report_counts() -> None:
    text = report([record("simulated"), record("refused", "not judged")], 100, 60.0, 20.0)
    assert "| simulated as it stands | 1 |" in text
    assert "| `delay` | 2 | 12, 12 |" in text
    assert "1 simulated and not contradicted | 1 |" in text
