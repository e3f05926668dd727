"""Which kernel of the native engine suits a job: the only place that decides it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sbmlgrad.codegen.kernel_laws import laws_and_inputs
from sbmlgrad.codegen.lockstep_single import LEAST_NORMAL, MOST_CHANGED, MOST_SINGLE
from sbmlgrad.engines.base import Outcome, Request
from sbmlgrad.engines.table.sampling import sample_table
from sbmlgrad.errors import RequestError

#: Kernels by name: what a user may ask for, and the one that networks with a clock need.
AUTO, TABLE, LOCKSTEP, TREE, HYBRID = "auto", "table", "lockstep", "tree", "hybrid"
KERNELS = (AUTO, TABLE, LOCKSTEP, TREE)

DTYPES = ("float64", "float32")

#: Reactions above which code of their own takes longer to compile than most jobs run: it grows
#: like their square, to a quarter of a minute at a hundred and, in single precision, at thirty.
LARGEST_LOCKSTEP, LARGEST_SINGLE = 100, 32

#: Firings of a whole job from which compiling code for a small network pays (it takes seconds).
WORTH_COMPILING = 2 * 10**7

#: Firings that the pilot trajectory may spend to estimate the size of a job.
PILOT_FIRINGS = 200_000


class KernelChoice(NamedTuple):
    """A kernel, and why it was chosen: words that go behind its name, empty where it was named."""

    kernel: str
    reason: str


def engine_name(kernel: str, dtype: str) -> str:
    """Return how results record a kernel of the native engine."""
    precision = "" if dtype == "float64" else f", dtype={dtype!r}"
    return f"Native(kernel={kernel!r}{precision})"


def choose_kernel(request: Request, *, kernel: str, dtype: str, firing_limit: int) -> KernelChoice:
    """Return the kernel that samples a request.

    Args:
        request: the whole job, whose size decides.
        kernel: what the user asked for, one of `KERNELS`.
        dtype: likewise, one of `DTYPES`.
        firing_limit: firings of one trajectory before it counts as a runaway.

    Raises:
        RequestError: single precision is asked for where it cannot be had or does not pay.
    """
    is_single = dtype != "float64"
    if request.lowered.is_timed:
        if is_single:
            raise RequestError(
                f"{engine_name(kernel, dtype)}: events, explicit time and rate rules are followed "
                "in double precision; leave out dtype"
            )
        return KernelChoice(HYBRID, ": events, explicit time or rate rules")
    reactions = len(request.lowered.channels)
    if reactions == 0:
        return KernelChoice(TABLE, ": there are no reactions")
    if is_single and kernel in (AUTO, LOCKSTEP):
        reason = too_much_for_single(request, firing_limit)
        if reason:
            return KernelChoice(TABLE, f": {reason}, which single precision does not hold")
    if kernel != AUTO:
        return KernelChoice(kernel, "")
    if is_single and reactions > LARGEST_SINGLE:
        raise RequestError(
            f"Native(dtype={dtype!r}): single precision pays up to {LARGEST_SINGLE} "
            f"reactions, and there are {reactions}; use double precision, or name a kernel"
        )
    if reactions > LARGEST_LOCKSTEP:
        return KernelChoice(TREE, f": {reactions} reactions are too many for code of their own")
    if request.trajectories * firing_limit < WORTH_COMPILING:
        return KernelChoice(TABLE, ": small job")
    firings, is_cut_short = _pilot(request, min(PILOT_FIRINGS, firing_limit), is_single=is_single)
    expected = firings * request.trajectories
    words = f": {'at least' if is_cut_short else 'about'} {expected:.0e} firings expected"
    # A pilot that ends where the job would too has told everything.
    is_longer = is_cut_short and firing_limit >= PILOT_FIRINGS
    return KernelChoice(kernel_by_size(reactions, np.inf if is_longer else expected), words)


def kernel_by_size(reactions: int, firings: float) -> str:
    """Return the kernel that suits a network of so many reactions and a job of so many firings."""
    if reactions > LARGEST_LOCKSTEP:
        return TREE
    # Compiling takes longer in proportion to the square of the reactions.
    worth = WORTH_COMPILING * max(1.0, (reactions / 40.0) ** 2)
    return LOCKSTEP if firings >= worth else TABLE


def too_much_for_single(request: Request, firing_limit: int) -> str:
    """Say what of a job single precision does not hold; empty where it holds everything."""
    if firing_limit < 2:
        return "a firing limit of 1"
    if float(np.max(request.start, initial=0.0)) > MOST_SINGLE:
        return f"counts above {MOST_SINGLE:.0f}"
    changes = (abs(n) for c in request.lowered.channels for n in c.change.values())
    if max(changes, default=0) > MOST_CHANGED:
        return f"a firing that changes a count by more than {MOST_CHANGED}"
    _, inputs = laws_and_inputs(request.lowered, request.inputs)
    sizes = np.abs(inputs[inputs != 0.0])
    if sizes.size and not (sizes.min() >= LEAST_NORMAL and sizes.max() < 2.0**127):
        return f"a coefficient of {sizes.min():.2g} or {sizes.max():.2g}"
    return ""


def _pilot(request: Request, limit: int, *, is_single: bool) -> tuple[int, bool]:
    """Return the firings of one trajectory, and whether the limit cut it short."""
    pilot = replace(request, trajectories=1, start=request.start[:1], progress=None)
    sample = sample_table(pilot, threads=1, firing_limit=limit, is_single=is_single)
    return int(sample.firings[0]), bool(sample.outcomes[0] == Outcome.FIRING_LIMIT)
