"""Write the golden files anew: `python tests/golden/regenerate.py`, then review the difference.

Each `NAME.xml` is an original document, written by hand; `NAME_calibrated.xml` is what `write_sbml`
makes of it with the values and the provenance below, and `NAME_uncertain.xml` what it makes of it
if the uncertainty of the values is known too, which takes level 3 version 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sbmlgrad.io.sbml.writer import write_sbml
from sbmlgrad.model.elements import Parameter, Species
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.provenance import Estimate, Provenance

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One golden file: the values to be written, and lines of the original that go or change."""

    values: Mapping[str, float]
    species: tuple[Species, ...]
    changed_lines: frozenset[str]


CASES = {
    "dimerization_l3v1": Case(
        values={"k1": 1 / 3, "k2": 0.1 + 0.2, "k3": 2.5, "binding.k3": 1e-300},
        species=(Species("A", "cell", initial_amount=100.0), Species("C", "cell", 3.0)),
        changed_lines=frozenset(
            {
                '<parameter id="k1" value="1e-3" units="per_second" constant="true"/>',
                "<parameter constant=\"true\" units='per_second' id='k2'/>",
                '<localParameter id="k3" value="7" units="dimensionless"/>',
                '<species id="C" compartment="cell" initialAmount="0" '
                'hasOnlySubstanceUnits="true" boundaryCondition="false" constant="false">'
                "</species>",
                "<listOfInitialAssignments>",
                '<initialAssignment symbol="k2">',
                '<math xmlns="http://www.w3.org/1998/Math/MathML">',
                "<ci> k1 </ci>",
                "</math>",
                "</initialAssignment>",
                "</listOfInitialAssignments>",
            }
        ),
    ),
    "dimerization_l2v4": Case(
        values={"k2": 0.1 + 0.2, "dimerize.k1": 2 / 3},
        species=(Species("A", "cell", initial_concentration=50.5), Species("C", "cell", 0.0)),
        changed_lines=frozenset(
            {
                '<model id="dimerization" name="Dimerization">',
                '<species id="A" compartment="cell" initialConcentration="50"/>',
                '<parameter id="k2" value="0.1" />',
                '<parameter id="k1" value="0.01"/>',
            }
        ),
    ),
}

PROVENANCE = Provenance(
    fitted={"k1": 1 / 3, "k2": 0.1 + 0.2},
    data_name='dimer "b" <1>.csv',
    data_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    seed=7,
    estimator="TwoSidedAdjoint()",
    loss=12.5,
    loss_standard_error=1 / 7,
    software={"sbmlgrad": "0.1.0", "numpy": "2.4.6"},
    finished="2026-03-01T12:00:00.250000+01:00",
    settings={"learning_rate": "0.05", "free": "k1, k2"},
)

#: With a parameter of either kind of interval, one without uncertainty, and one that is no
#: parameter of the model.
UNCERTAIN = replace(
    PROVENANCE,
    estimates={
        "k1": Estimate(1 / 3, standard_error=0.1 / 3, interval=(0.25, 0.4), unit="1/s"),
        "k2": Estimate(0.1 + 0.2, 0.02, (0.0, float("inf")), 0.9, "credible", "median", "1/s"),
        "k3": Estimate(2.5),
        "noise": Estimate(0.7, standard_error=0.05, central=None),
    },
)


def original(name: str) -> bytes:
    """Return the document of a case as written by hand."""
    return (FOLDER / f"{name}.xml").read_bytes()


def network(name: str, *, provenance: Provenance | None = PROVENANCE) -> ReactionNetwork:
    """Return the calibrated network of a case."""
    case = CASES[name]
    return ReactionNetwork(
        id="dimerization",
        species=case.species,
        parameters=tuple(Parameter(id, value) for id, value in case.values.items()),
        explicit=frozenset(case.values),
        source=original(name),
        provenance=provenance,
    )


if __name__ == "__main__":
    for name in CASES:
        (FOLDER / f"{name}_calibrated.xml").write_bytes(write_sbml(network(name)))
        uncertain = write_sbml(network(name, provenance=UNCERTAIN))
        (FOLDER / f"{name}_uncertain.xml").write_bytes(uncertain)
