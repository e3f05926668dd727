"""The types in which a shipped model is described, and the ontology terms used."""

from __future__ import annotations

from dataclasses import dataclass

#: Unit of time → its length in seconds as (multiplier, power of ten), the way SBML writes it.
TIME_UNITS = {
    "millisecond": (1.0, -3),
    "second": (1.0, 0),
    "minute": (60.0, 0),
    "hour": (3600.0, 0),
    "day": (86400.0, 0),
}

# Terms of the Systems Biology Ontology.
MASS_ACTION_IRREVERSIBLE = "SBO:0000041"
MASS_ACTION_REVERSIBLE = "SBO:0000042"
RATE_CONSTANT = "SBO:0000009"
FORWARD_RATE_CONSTANT = "SBO:0000153"
REVERSE_RATE_CONSTANT = "SBO:0000156"
DISSOCIATION_RATE_CONSTANT = "SBO:0000338"
ASSOCIATION_RATE_CONSTANT = "SBO:0000339"
ZEROTH_ORDER_RATE_CONSTANT = "SBO:0000046"
GENE = "SBO:0000243"
PROTEIN = "SBO:0000252"
COMPLEX = "SBO:0000253"
RIBONUCLEIC_ACID = "SBO:0000250"
BINDING = "SBO:0000177"
DEGRADATION = "SBO:0000179"
DISSOCIATION = "SBO:0000180"
CONFORMATIONAL_TRANSITION = "SBO:0000181"
TRANSCRIPTION = "SBO:0000183"
TRANSLATION = "SBO:0000184"


@dataclass(frozen=True)
class Species:
    """A species: id, initial count, name, SBO term."""

    id: str
    count: int
    name: str
    sbo: str = ""


@dataclass(frozen=True)
class Parameter:
    """A global constant parameter.

    Attributes:
        id: SBML id.
        value: in `unit`.
        unit: `item`, `per_time`, `item_per_time` or `per_item_per_time`, time in the model's unit.
        name: what it is.
        sbo: SBO term.
    """

    id: str
    value: float
    unit: str
    name: str
    sbo: str = RATE_CONSTANT


@dataclass(frozen=True)
class Reaction:
    """A reaction.

    Attributes:
        id: SBML id.
        equation: such as `A + B -> 2 C`; `<->` makes it reversible.
        law: kinetic law in firings per time, SBML level 3 formula syntax.
        name: what happens.
        sbo: SBO term of the reaction.
        law_sbo: SBO term of the kinetic law.
    """

    id: str
    equation: str
    law: str
    name: str
    sbo: str = ""
    law_sbo: str = MASS_ACTION_IRREVERSIBLE


@dataclass(frozen=True)
class Model:
    """A model.

    Attributes:
        id: SBML id and file name.
        name: title.
        time: key of `TIME_UNITS`.
        place: id of the only compartment.
        about: what the model is, plain text.
        purpose: what it is shipped for, plain text.
        source: citation of the paper that describes it.
        doi: DOI of that paper.
        species: in document order.
        parameters: in document order.
        reactions: in document order.
    """

    id: str
    name: str
    time: str
    place: str
    about: str
    purpose: str
    source: str
    doi: str
    species: tuple[Species, ...]
    parameters: tuple[Parameter, ...]
    reactions: tuple[Reaction, ...]
