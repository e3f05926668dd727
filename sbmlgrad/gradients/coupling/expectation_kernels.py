"""What estimators of expectations share: checks, values of normal trajectories, kernel modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.codegen.lowering import LoweredNetwork, Partial
from sbmlgrad.codegen.numba_cpu import rate_source
from sbmlgrad.codegen.printing import literal, print_expression
from sbmlgrad.codegen.table_driven import program_values, run_program
from sbmlgrad.codegen.tables import Changes, Code, changes_of, code_of
from sbmlgrad.engines.base import Outcome, Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.random import narrow_pair, philox, standard_exponential, uniform_pair
from sbmlgrad.engines.table.kernel import fire, first_fault, keep, next_firing
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.paths.reverse import gradient_tables


class Graph(NamedTuple):
    """Which propensities a firing can change, of `codegen.tables.Tables`."""

    groups_start: NDArray[np.int64]
    groups: NDArray[np.int64]
    members_start: NDArray[np.int64]
    members: NDArray[np.int64]


class Sparsity(NamedTuple):
    """What firings change and which derivatives are not zero, likewise."""

    change_start: NDArray[np.int64]
    change_species: NDArray[np.int64]
    change_amount: NDArray[np.float64]
    state_start: NDArray[np.int64]
    state_variable: NDArray[np.int64]
    input_start: NDArray[np.int64]
    input_variable: NDArray[np.int64]


class Laws(NamedTuple):
    """The tables of a network in parts, since a long list of arrays is costly to pass on."""

    code: Code
    graph: Graph
    changes: Changes
    sparsity: Sparsity
    stack_size: int


@lru_cache(maxsize=64)
def laws_of(lowered: LoweredNetwork) -> Laws:
    """Return the tables of a network, with derivatives, as kernels of this layer take them."""
    tables = gradient_tables(lowered)
    return Laws(
        code=code_of(tables),
        graph=Graph(tables.groups_start, tables.groups, tables.members_start, tables.members),
        changes=changes_of(tables),
        sparsity=Sparsity(*(getattr(tables, name) for name in Sparsity._fields)),
        stack_size=tables.stack_size,
    )


def renew(code: Code, graph: Graph, fired, counts, inputs, stack, out):
    """Recompute in `out` [reaction] the propensities that a firing may have changed."""
    groups_start, groups = graph.groups_start, graph.groups
    members_start, members = graph.members_start, graph.members
    for g in range(groups_start[fired], groups_start[fired + 1]):
        for d in range(members_start[groups[g]], members_start[groups[g] + 1]):
            out[members[d]] = run_program(code, members[d], counts, inputs, stack)


def state_slopes(code: Code, first, counts, inputs, stack, out):
    """Fill `out` with the derivatives in counts, whose programs begin with `first`."""
    for i in range(out.shape[0]):
        out[i] = run_program(code, first + i, counts, inputs, stack)


def input_slopes(code: Code, first, counts, inputs, stack, out):
    """Fill `out` with the derivatives in inputs, whose programs begin with `first`."""
    for i in range(out.shape[0]):
        out[i] = run_program(code, first + i, counts, inputs, stack)


#: Kernel functions that kernels of this layer call; those of laws are also printed for one model.
COMMON: tuple[Callable[..., object], ...] = (
    philox,
    uniform_pair,
    narrow_pair,
    standard_exponential,
    first_fault,
    next_firing,
    fire,
    keep,
    run_program,
    program_values,
    renew,
    state_slopes,
    input_slopes,
)


def expectation_module(
    functions: tuple[Callable[..., object], ...], engine: Native, request: Request
) -> ModuleType:
    """Return the compiled module of kernel functions that call those of `COMMON`.

    Args:
        functions: of the estimator.
        engine: chooses whether code is printed for the model.
        request: what is differentiated.
    """
    is_printed = engine.choose_kernel(request)[0] == "lockstep"
    return kernel_module((*COMMON, *functions), _printed(request.lowered) if is_printed else None)


@lru_cache(maxsize=64)
def _printed(lowered: LoweredNetwork) -> str:
    place = {s: f"counts[{i}]" for i, s in enumerate(lowered.species_ids)}
    place |= {s: f"inputs[{i}]" for i, s in enumerate(lowered.input_ids)}

    def function(name: str, partials: Sequence[Partial]) -> list[str]:
        lines = [
            f"    out[{i}] = {print_expression(p.expression, 'numba', place.__getitem__, literal)}"
            for i, p in enumerate(partials)
        ]
        head = f"def {name}(code, first, counts, inputs, stack, out):"
        return [head, *(lines or ["    pass"]), ""]

    return "\n".join(
        [
            rate_source(lowered, derivatives=False),
            "def program_values(code, counts, inputs, stack, out):",
            "    propensities(code, counts, inputs, stack, out)",
            "",
            "def renew(code, graph, fired, counts, inputs, stack, out):",
            "    propensities(code, counts, inputs, stack, out)",
            "",
            *function("state_slopes", lowered.state_partials),
            *function("input_slopes", lowered.input_partials),
        ]
    )


def check_request(
    name: str,
    engine: Native,
    request: Request,
    advice: str = 'use FiniteDifference(coupling="crn")',
) -> None:
    """Raise a `GradientError` for what kernels of this layer cannot follow.

    Args:
        name: of the estimator.
        engine: whose trajectories are replayed.
        request: what is differentiated.
        advice: what to do where things happen between firings.
    """
    if request.lowered.is_timed:
        raise GradientError(
            f"{name}: model '{request.lowered.network.id}' has events, rate rules, random initial "
            f"values or laws that depend on time, which its kernels do not follow; {advice}"
        )
    if engine.dtype != "float64":
        raise GradientError(
            f"{engine.name}: a gradient replays the trajectories, by the random streams of double "
            "precision; leave out dtype"
        )


def normal_values(name: str, engine: Native, request: Request) -> NDArray[np.float64]:
    """Return the kept values, float64 [trajectory, point, column], of trajectories without fault.

    Raises:
        GradientError: a trajectory failed.
    """
    sample = engine.sample(request)
    if (sample.outcomes > Outcome.ABSORBED).any():
        raise GradientError(
            f"{name}: a trajectory failed, and an expectation cannot leave it out; simulate with "
            'on_failure="raise" to see which'
        )
    return sample.values


def check_finite(name: str, gradient: NDArray[np.float64], advice: str) -> None:
    """Raise a `GradientError` for a derivative that is infinite or not a number."""
    if not np.isfinite(gradient).all():
        raise GradientError(
            f"{name}: the gradient is not finite. A kinetic law has an infinite derivative at a "
            f"state that was visited, as sqrt(X) or X^0.5 at X = 0, or numbers overflowed; {advice}"
        )


def check_function(name: str, found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F of trajectories, or raise a `GradientError` where it is not finite."""
    if not np.isfinite(found).all():
        raise GradientError(
            f"{name}: the function whose expectation is differentiated is infinite or not a number "
            "for some trajectory, so that it has no expectation; choose one that is finite for "
            "every state that can be reached"
        )
    return found
