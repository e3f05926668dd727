"""Straight-line numba source for the propensities and derivatives of one model."""

from __future__ import annotations

from collections.abc import Iterable

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.printing import print_expression
from sbmlgrad.model.expression import Expression


def rate_source(lowered: LoweredNetwork, *, derivatives: bool) -> str:
    """Return source of the functions of `codegen.table_driven`, printed for one model.

    Args:
        lowered: the network.
        derivatives: print the derivatives too, which only gradients need.
    """
    place = {s: f"counts[{i}]" for i, s in enumerate(lowered.species_ids)}
    place |= {s: f"inputs[{i}]" for i, s in enumerate(lowered.input_ids)}

    def assignments(target: str, expressions: Iterable[Expression]) -> list[str]:
        return [
            f"    {target}[{i}] = {print_expression(e, 'numba', place.__getitem__, _number)}"
            for i, e in enumerate(expressions)
        ]

    rates = assignments("out", (channel.propensity for channel in lowered.channels))
    lines = ["def propensities(tables, counts, inputs, stack, out):", *(rates or ["    pass"]), ""]
    lines += [
        "def update_propensities(tables, fired, counts, inputs, stack, out):",
        "    propensities(tables, counts, inputs, stack, out)",
        "",
    ]
    if derivatives:
        body = assignments("in_state", (p.expression for p in lowered.state_partials))
        body += assignments("in_input", (p.expression for p in lowered.input_partials))
        lines += ["def derivatives(tables, counts, inputs, stack, in_state, in_input):"]
        lines += [*(body or ["    pass"]), ""]
    return "\n".join(lines)


def _number(value: float) -> str:
    # repr of nan and inf is no Python literal; both names are bound in the generated module.
    return f"({value!r})" if value < 0.0 else repr(value)
