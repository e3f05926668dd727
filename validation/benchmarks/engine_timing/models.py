"""The models of the throughput benchmark as plain mass-action data, and as SBML for every peer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[3] / "models" / "sbml"

#: Firings of one trajectory of a sparse network in the comparison of sizes, about.
SPARSE_FIRINGS = 400_000


@dataclass(frozen=True)
class Reaction:
    """A one-way mass-action reaction.

    Attributes:
        reactants: species → stoichiometry.
        products: species → stoichiometry.
        constant: the propensity is this times x (x - 1) … of every reactant.
    """

    reactants: Mapping[str, int]
    products: Mapping[str, int]
    constant: float


@dataclass(frozen=True)
class Model:
    """A network and the job that is measured on it.

    Attributes:
        name: as on the command line.
        title: as in tables.
        species: ids.
        counts: at time 0, one a species.
        reactions: all one-way.
        watched: the species whose mean at the end is compared.
        end: last time of a trajectory.
        points: output times, 0 and the end included.
    """

    name: str
    title: str
    species: tuple[str, ...]
    counts: tuple[int, ...]
    reactions: tuple[Reaction, ...]
    watched: str
    end: float
    points: int = 201

    def job(self, end: float | None = None, points: int | None = None) -> Model:
        """Return the same network with another horizon or output grid."""
        return replace(self, end=end or self.end, points=points or self.points)


def oscillator() -> Model:
    """Return the genetic oscillator, 9 species and 16 reactions."""
    return shipped("oscillator", "oscillator", "R", 200.0)


def dimerization() -> Model:
    """Return the reversible dimerisation, which stays about its equilibrium."""
    return shipped("dimerization", "dimerisation", "C", 1000.0)


def ion_channel() -> Model:
    """Return two ion channels: a few firings a trajectory, so it measures what a trajectory costs.

    Its horizon is a few times the mean time to inactivation.
    """
    return shipped("ion_channel", "ion channel (2 channels)", "I", 5.0)


def shipped(name: str, title: str, watched: str, end: float) -> Model:
    """Return a model of `models/sbml`, its reversible reactions written as two.

    Some peers fire reversible reactions on the net rate, which is another process.

    Raises:
        ValueError: a law is no product of one parameter and its reactants, or a difference of two.
    """
    import libsbml

    document = libsbml.readSBMLFromFile(str(SHIPPED / f"{name}.xml"))
    model = document.getModel()
    values = {p.getId(): p.getValue() for p in model.getListOfParameters()}
    reactions = []
    for reaction in model.getListOfReactions():
        left = {r.getSpecies(): int(r.getStoichiometry()) for r in reaction.getListOfReactants()}
        right = {r.getSpecies(): int(r.getStoichiometry()) for r in reaction.getListOfProducts()}
        law = libsbml.formulaToL3String(reaction.getKineticLaw().getMath())
        terms = law.split(" - ")
        if len(terms) > 2:
            raise ValueError(f"{name}: the law {law} is no difference of two terms")
        for term, sides in zip(terms, ((left, right), (right, left)), strict=False):
            reactions.append(Reaction(*sides, _constant(term, sides[0], values)))
    species = model.getListOfSpecies()
    return Model(
        name,
        title,
        tuple(s.getId() for s in species),
        tuple(int(s.getInitialAmount()) for s in species),
        tuple(reactions),
        watched,
        end,
    )


def _constant(term: str, reactants: Mapping[str, int], values: Mapping[str, float]) -> float:
    factors = re.split(r"\s*\*\s*", term.strip())
    constants = [f for f in factors if f in values]
    others = sorted(f for f in factors if f not in values)
    if len(constants) != 1 or others != sorted(reactants) or set(reactants.values()) - {1}:
        raise ValueError(f"the term {term} is not a parameter times each of {sorted(reactants)}")
    return values[constants[0]]


def sparse(reactions: int, points: int = 201, firings: float = 2 * SPARSE_FIRINGS) -> Model:
    """Return a network in which a firing changes O(1) propensities, however large it is.

    Half of its reactions convert one molecule into another, half exchange two for two others, with
    half as many species as reactions; the number of molecules is kept, about 13 a species.

    Args:
        reactions: at least 10.
        points: output times.
        firings: of one trajectory, about; sets the horizon.
    """
    size = reactions // 2
    names = [f"S{i}" for i in range(size)]
    made = []
    for i in range(reactions):
        a = i % size
        constant = (1 + i % 9) / 5.0
        if i < size:
            b = (3 * a + 1) % size
            b = b if b != a else (a + 1) % size
            made.append(Reaction({names[a]: 1}, {names[b]: 1}, constant))
        else:
            left = {names[a]: 1, names[(a + size // 3 + 1) % size]: 1}
            right = {names[(a + 1) % size]: 1, names[(a + size // 2) % size]: 1}
            made.append(Reaction(left, right, constant / 50.0))
    counts = tuple(10 + i % 7 for i in range(size))
    # About 8 firings a reaction and unit of time.
    end = firings / (8.0 * reactions)
    title = f"sparse network, {reactions:,} reactions"
    return Model(
        f"sparse_{reactions}", title, tuple(names), counts, tuple(made), names[1], end, points
    )


def schloegl_lattice(voxels: int = 30) -> Model:
    """Return a row of voxels, each with the Schlögl reactions, and diffusion between neighbours.

    Constants are those of Vellela and Qian (2009), started at the upper of the two states.
    """
    names = [f"X{i}" for i in range(voxels)]
    made = []
    for i, name in enumerate(names):
        made += [
            Reaction({name: 2}, {name: 3}, 0.015),
            Reaction({name: 3}, {name: 2}, 1e-4 / 6.0),
            Reaction({}, {name: 1}, 200.0),
            Reaction({name: 1}, {}, 3.5),
        ]
        for other in (i - 1, i + 1):
            if 0 <= other < voxels:
                made.append(Reaction({name: 1}, {names[other]: 1}, 1.0))
    title = f"Schlögl lattice, {voxels} voxels"
    counts = (560,) * voxels
    return Model(
        "schloegl_lattice", title, tuple(names), counts, tuple(made), names[voxels // 2], 2.0
    )


#: Name → model, in the order of the tables.
MODELS = {
    "oscillator": oscillator,
    "dimerization": dimerization,
    "ion_channel": ion_channel,
    "schloegl_lattice": schloegl_lattice,
    "sparse_1000": lambda: sparse(1_000),
    # 201 times of 50,000 species would cost more than the firings.
    "sparse_100000": lambda: sparse(100_000, points=3),
}


def write(model: Model, folder: Path) -> Path:
    """Write `model.json` and `model.xml` into a new folder, which is returned."""
    target = folder / model.name
    target.mkdir(parents=True, exist_ok=True)
    data = asdict(model)
    data["reactions"] = [[r.reactants, r.products, r.constant] for r in model.reactions]
    (target / "model.json").write_text(json.dumps(data), encoding="utf-8")
    (target / "model.xml").write_text("\n".join(sbml_lines(model)), encoding="utf-8")
    return target


def sbml_lines(model: Model) -> Iterator[str]:
    """Yield the lines of an SBML level 3 document in items, without volumes or units to convert."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">'
    yield f'<model id="{model.name}" substanceUnits="item" extentUnits="item" timeUnits="second"'
    yield ' volumeUnits="dimensionless"><listOfCompartments>'
    yield '<compartment id="cell" size="1" spatialDimensions="3" constant="true"/>'
    yield "</listOfCompartments><listOfSpecies>"
    for name, count in zip(model.species, model.counts, strict=True):
        yield (
            f'<species id="{name}" compartment="cell" initialAmount="{count}" '
            'substanceUnits="item" hasOnlySubstanceUnits="true" boundaryCondition="false" '
            'constant="false"/>'
        )
    yield "</listOfSpecies><listOfParameters>"
    for i, reaction in enumerate(model.reactions):
        yield f'<parameter id="k{i}" value="{reaction.constant!r}" constant="true"/>'
    yield "</listOfParameters><listOfReactions>"
    for i, reaction in enumerate(model.reactions):
        yield f'<reaction id="J{i}" reversible="false" fast="false">'
        yield _references("Reactants", reaction.reactants)
        yield _references("Products", reaction.products)
        yield f"<kineticLaw>{_law(i, reaction)}</kineticLaw></reaction>"
    yield "</listOfReactions></model></sbml>"


def _references(side: str, species: Mapping[str, int]) -> str:
    inner = "".join(
        f'<speciesReference species="{s}" stoichiometry="{n}" constant="true"/>'
        for s, n in species.items()
    )
    return f"<listOf{side}>{inner}</listOf{side}>" if inner else ""


def _law(number: int, reaction: Reaction) -> str:
    factors = [f"<ci>k{number}</ci>"]
    for species, times in reaction.reactants.items():
        factors += [_less(species, i) for i in range(times)]
    inner = f"<apply><times/>{''.join(factors)}</apply>" if len(factors) > 1 else factors[0]
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{inner}</math>'


def _less(species: str, taken: int) -> str:
    if not taken:
        return f"<ci>{species}</ci>"
    return f'<apply><minus/><ci>{species}</ci><cn type="integer">{taken}</cn></apply>'
