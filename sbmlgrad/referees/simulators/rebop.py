"""rebop's direct method as a referee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.codegen.printing import literal, print_expression
from sbmlgrad.errors import RefereeError
from sbmlgrad.io.formats import load
from sbmlgrad.model.expression import Apply, Expression
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.units import whole_number
from sbmlgrad.referees.base import FloatArray
from sbmlgrad.referees.simulators.external import External
from sbmlgrad.referees.waiting import WAITED_FOR

#: Operators that rebop's laws know.
KNOWN = frozenset({"plus", "minus", "times", "divide", "power"})


@dataclass(frozen=True)
class Rebop(External):
    """The direct method of rebop (https://github.com/Armavica/rebop), a Rust library.

    It reads no SBML: it is given reactions, initial counts and laws as text.
    """

    name: str = field(default="rebop", init=False)
    install_with: str = field(default="pip install rebop", init=False)
    packages: tuple[str, ...] = field(default=("rebop",), init=False)
    worker: str = field(default="rebop_worker.py", init=False)

    def objections(self, lowered: LoweredNetwork, times: FloatArray) -> tuple[str, ...]:
        """Return why it cannot judge a network at these times."""
        found = [f"it has no clock, and there is {lowered.clock_words}"] if lowered.is_timed else []
        strange = sorted(
            set().union(*(_strange(channel.propensity) for channel in lowered.channels))
        )
        if strange:
            found.append(f"its laws know no operator {', '.join(strange)}")
        return tuple(found)

    def request(
        self, document: bytes, species: Sequence[str], times: FloatArray
    ) -> Mapping[str, Any]:
        """Return the network as plain data."""
        del times
        return {**_network(document, species), "waited_for": list(WAITED_FOR)}


def _network(document: bytes, species: Sequence[str]) -> dict[str, Any]:
    """Return a normalised document as plain data: start, parameters and reactions."""
    network = load(document.decode())
    lowered, values = lower(network), initial_values(network)
    unknown = sorted(set(species) - set(network.species_ids))
    if unknown:
        raise RefereeError(f"'rebop' was asked for species that are not there: {unknown}")
    names = {name: f"s{i}" for i, name in enumerate(network.species_ids)}
    names |= {name: f"p{i}" for i, name in enumerate(lowered.input_ids)}
    reactions = []
    for channel in lowered.channels:
        law = print_expression(channel.propensity, "infix", names.__getitem__, literal)
        lost = [names[s] for s, n in channel.change.items() for _ in range(max(0, -n))]
        gained = [names[s] for s, n in channel.change.items() for _ in range(max(0, n))]
        reactions.append([law, lost, gained])
    return {
        "start": {names[s]: _molecules(s, values[s]) for s in network.species_ids},
        "parameters": {names[i]: float(values[i]) for i in lowered.input_ids},
        "reactions": reactions,
        "columns": [names[s] for s in species],
    }


def _molecules(species: str, value: float) -> int:
    near = whole_number(value)
    if near is None:
        raise RefereeError(
            f"'rebop' starts from whole numbers of molecules, and '{species}' starts with {value:g}"
        )
    return int(near)


def _strange(law: Expression) -> set[str]:
    """Return the operators of a law that rebop does not know."""
    if not isinstance(law, Apply):
        return set()
    inside = set().union(*(_strange(argument) for argument in law.arguments))
    return inside | ({law.operator} - KNOWN)
