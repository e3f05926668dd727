"""rebop's direct method as a referee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.codegen.printing import literal, print_expression
from sbmlgrad.errors import RefereeError
from sbmlgrad.io.formats import load
from sbmlgrad.model.expression import Apply, Expression
from sbmlgrad.model.initial import initial_values
from sbmlgrad.referees.base import FloatArray, RefereeResult, require
from sbmlgrad.referees.external import folded, is_installed, sampled

#: Operators that rebop's laws know.
KNOWN = frozenset({"plus", "minus", "times", "divide", "power"})


@dataclass(frozen=True)
class Rebop:
    """The direct method of rebop (https://github.com/Armavica/rebop), a Rust library.

    It reads no SBML: it is given reactions, initial counts and laws as text.

    Attributes:
        python: interpreter of the environment it is installed in; None for this one.
    """

    python: str | None = None
    name: str = "rebop"
    install_with: str = "pip install rebop"

    def is_available(self) -> bool:
        """Tell whether the package is installed, without loading it."""
        return is_installed(["rebop"], self.python)

    def objections(self, lowered: LoweredNetwork, times: FloatArray) -> tuple[str, ...]:
        """Return why it cannot judge a network at these times."""
        found = [f"it has no clock, and there is {lowered.clock_words}"] if lowered.is_timed else []
        strange = sorted(
            set().union(*(_strange(channel.propensity) for channel in lowered.channels))
        )
        if strange:
            found.append(f"its laws know no operator {', '.join(strange)}")
        return tuple(found)

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: FloatArray,
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        """Sample trajectories in a process of their own; arguments as for `Referee.sample`."""
        require([self])
        return sampled(
            "rebop_worker.py",
            {"seed": folded(seed), **_network(document, species)},
            document,
            species,
            times,
            trajectories,
            referee=self.name,
            timeout_s=timeout_s,
            python=self.python,
        )


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
        "start": {names[s]: int(values[s]) for s in network.species_ids},
        "parameters": {names[i]: float(values[i]) for i in lowered.input_ids},
        "reactions": reactions,
        "columns": [names[s] for s in species],
    }


def _strange(law: Expression) -> set[str]:
    """Return the operators of a law that rebop does not know."""
    if not isinstance(law, Apply):
        return set()
    inside = set().union(*(_strange(argument) for argument in law.arguments))
    return inside | ({law.operator} - KNOWN)
