"""Straight-line numba source for the propensities and derivatives of one model."""

from __future__ import annotations

from collections.abc import Iterable

from sbmlgrad.codegen.kernel_laws import KernelLaws, written_laws
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.printing import literal, print_expression
from sbmlgrad.model.expression import Expression


def rate_source(
    lowered: LoweredNetwork, *, derivatives: bool, laws: KernelLaws | None = None
) -> str:
    """Return source of the functions of `codegen.table_driven`, printed for one model.

    Args:
        lowered: the network.
        derivatives: print the derivatives too, which only gradients need.
        laws: the propensities, and the inputs that they use; by default as they are written.
    """
    place = {s: f"counts[{i}]" for i, s in enumerate(lowered.species_ids)}
    laws = written_laws(lowered) if laws is None else laws
    place |= {s: f"inputs[{i}]" for i, s in enumerate(laws.input_ids)}

    def assignments(target: str, expressions: Iterable[Expression]) -> list[str]:
        return [
            f"    {target}[{i}] = {print_expression(e, 'numba', place.__getitem__, literal)}"
            for i, e in enumerate(expressions)
        ]

    rates = assignments("out", laws.laws)
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
        lines += [
            "def update_derivatives(tables, fired, counts, inputs, stack, in_state, in_input):",
            "    derivatives(tables, counts, inputs, stack, in_state, in_input)",
            "",
        ]
    return "\n".join(lines)
