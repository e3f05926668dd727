"""What a summary keeps statistics of: which numbers stand for a symbol in a quantity.

Amounts and concentrations in a compartment of constant size are numbers of molecules over a
constant. Statistics are then kept of the molecules, which are whole numbers, and divided when they
are asked for: one column answers for all three quantities, and histograms are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.readouts import AfterFirings, Readout, ValuesAt
from sbmlgrad.errors import ParameterError, RequestError
from sbmlgrad.model.elements import Species
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.quantities import QUANTITIES


@dataclass(frozen=True)
class Tracked:
    """A symbol and the quantity in which its statistics are kept, None for no species."""

    id: str
    quantity: str | None

    def is_whole(self, network: ReactionNetwork, readout: Readout) -> bool:
        """Tell whether every value is a whole number, whatever happens."""
        is_state = isinstance(readout, ValuesAt | AfterFirings)
        return is_state and self.quantity == "counts" and self.id in network.counted


def pairs_asked(quantities: Any) -> tuple[tuple[Any, Any], ...]:
    """Return a user's list of ids and of pairs of an id and a quantity as pairs, each once.

    Raises:
        RequestError: it is no such list, or empty.
    """
    entries = [quantities] if isinstance(quantities, str | bytes) else list(quantities)
    pairs = [(entry, None) if isinstance(entry, str) else entry for entry in entries]
    are_pairs = all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs)
    if isinstance(quantities, str | bytes) or not are_pairs:
        raise RequestError(f"quantities={quantities!r}: give a list of ids or of (id, quantity)")
    if not pairs:
        raise RequestError("quantities: nothing to keep statistics of; name some symbols")
    return tuple({repr(pair): (pair[0], pair[1]) for pair in pairs}.values())


def tracked_of(
    network: ReactionNetwork, constants: Mapping[str, Any], pairs: Sequence[tuple[Any, Any]]
) -> tuple[Tracked, ...]:
    """Return what to keep statistics of, each once.

    Args:
        network: the network.
        constants: id → value of symbols that never change.
        pairs: ids and quantities.

    Raises:
        ParameterError: no such symbol.
        RequestError: no such quantity.
    """
    found = [stands_for(network, constants, id, quantity)[0] for id, quantity in pairs]
    return tuple(dict.fromkeys(found))


def stands_for(
    network: ReactionNetwork, constants: Mapping[str, Any], id: Any, quantity: Any
) -> tuple[Tracked, tuple[float, ...]]:
    """Return whose statistics answer for a symbol, and the divisors that lead to it, in order.

    Raises:
        ParameterError: no such symbol.
        RequestError: no such quantity.
    """
    if quantity is not None and quantity not in QUANTITIES:
        raise RequestError(f"quantity {quantity!r}: choose one of {QUANTITIES} or None")
    if not isinstance(id, str) or id not in network.by_id:
        raise ParameterError(
            f"no symbol {id!r} in model '{network.id}'; its species are "
            f"{', '.join(s.id for s in network.species) or '(none)'}"
        )
    element = network.by_id[id]
    if not isinstance(element, Species):
        return Tracked(id, None), ()
    if quantity is None:
        quantity = "amount" if element.only_substance_units else "concentration"
    if id not in network.species_ids:
        return Tracked(id, quantity), ()
    if quantity == "counts":
        return Tracked(id, "counts"), ()
    if quantity == "amount":
        return Tracked(id, "counts"), (element.items_per_substance,)
    size = float(constants.get(element.compartment, np.nan))
    if not 0.0 < size < np.inf:
        return Tracked(id, "concentration"), ()
    return Tracked(id, "counts"), (element.items_per_substance, size)


def divided(numbers: NDArray[np.float64], divisors: tuple[float, ...]) -> NDArray[np.float64]:
    """Divide by each divisor in turn, as `Ensemble.values` does, so that bits agree."""
    for divisor in divisors:
        numbers = numbers / divisor
    return numbers
