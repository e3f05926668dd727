"""All that a normalised document says, gathered before any of it is written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from numpy.typing import ArrayLike

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.io.sbml.normalised_formulas import (
    ExportedEvent,
    exported_events,
    literals,
    refuse_unreadable,
)
from sbmlgrad.io.sbml.normalised_start import Start, start_of
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.expression import Expression


def normalised_ids(lowered: LoweredNetwork) -> dict[str, str]:
    """Return symbol or channel → its id in the normalised document.

    Only local parameters change: `reaction.parameter` becomes `reaction__parameter`, with further
    underscores where that is taken.
    """
    names = (*lowered.state_ids, *lowered.input_ids, *(c.id for c in lowered.channels))
    taken = {symbol for symbol in names if "." not in symbol}
    taken.update(event.id for event in lowered.events)
    return {s: unused(s.replace(".", "__"), taken) if "." in s else s for s in names}


def unused(name: str, taken: set[str]) -> str:
    """Return a name that is not taken, with underscores where needed, and take it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


@dataclass(frozen=True)
class Contents:
    """What is written.

    Attributes:
        lowered: the network.
        ids: symbol or channel → id.
        start: values at time 0.
        channels: those that change anything.
        events: with random draws in place.
    """

    lowered: LoweredNetwork
    ids: Mapping[str, str]
    start: Start
    channels: tuple[Channel, ...]
    events: tuple[ExportedEvent, ...]

    def inputs(self) -> dict[str, float]:
        """Return what never changes and has a value."""
        values = self.start.values
        return {i: values[i] for i in self.lowered.input_ids if not math.isnan(values[i])}

    def variables(self) -> dict[str, float]:
        """Return the rest of the state, NaN where there is no certain value."""
        values = self.start.values
        moving = self.lowered.network.variable_ids
        return {v: math.nan if v in self.start.drawn else values[v] for v in moving}

    def formulas(self) -> list[tuple[str, Expression]]:
        """Return every formula and where it stands."""
        found = [(f"the law of '{c.reaction}'", c.propensity) for c in self.channels]
        found += [(f"the rate rule of '{target}'", rate) for target, rate in self.lowered.flows]
        found += [
            (f"the start of '{target}'", formula) for target, formula in self.start.drawn.items()
        ]
        for event in self.events:
            parts = (
                event.trigger,
                event.delay,
                event.priority,
                *(value for _, value in event.assignments),
            )
            found += [(f"the event '{event.id}'", part) for part in parts if part is not None]
        return found


def contents_of(
    lowered: LoweredNetwork, parameters: ArrayLike | None, initial_counts: ArrayLike | None
) -> Contents:
    """Return what the document says; arguments and errors as of `normalised_sbml`."""
    contents = Contents(
        lowered=lowered,
        ids=normalised_ids(lowered),
        start=start_of(lowered, parameters, initial_counts),
        channels=tuple(channel for channel in lowered.channels if channel.change),
        events=exported_events(lowered),
    )
    numbers = {**contents.inputs(), **contents.start.counts, **contents.variables()}
    places = [(f"'{i}'", value) for i, value in numbers.items()]
    for where, formula in contents.formulas():
        places += [(where, value) for value in literals([formula])]
    refuse_unreadable(lowered.network.id, places)
    return contents
