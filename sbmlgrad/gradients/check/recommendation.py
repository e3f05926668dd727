"""Which estimator a check recommends, and the words for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sbmlgrad.gradients.check.measurement import Measured
from sbmlgrad.gradients.check.reference import Reference
from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint

#: Errors that differ by less are alike, and the default is taken.
ALIKE = 1.1

#: From here on the next best is clearly worse.
CLEAR = 1.5

#: Relative errors below this are rounding.
ROUNDING = 1e-9

#: Error from which a gradient does not tell its direction.
USELESS = 0.5

#: Bias from which the weak spots of the default are worth naming.
WORTH_NAMING = 0.01


@dataclass(frozen=True)
class Ranked:
    """The errors of one estimator, relative to the gradient.

    Attributes:
        row: what was measured.
        error: of a gradient from the intended number of trajectories.
        at_equal_time: of a gradient from as many trajectories as take the same CPU time as those
            of the default.
        score: the larger ratio of either error to the best of all.
    """

    row: Measured
    error: float
    at_equal_time: float
    score: float


def ranked(rows: Sequence[Measured], intended: int) -> tuple[Ranked, ...]:
    """Return the estimators that did not refuse, best first.

    The best has the smallest of the worse of two ratios: of its error to the least of all, for the
    same number of trajectories and for the same CPU time. Where that of the default is hardly
    worse, the default comes first.
    """
    able = [row for row in rows if row.gradients is not None]
    if not able:
        return ()
    base = next((row for row in able if is_default(row)), None)
    seconds = base.seconds if base is not None else min(row.seconds for row in able)
    errors = [row.error(intended) for row in able]
    timed = [row.error(max(intended * _ratio(seconds, row.seconds), 1.0)) for row in able]
    found = [
        Ranked(row, error, late, max(_ratio(error, min(errors)), _ratio(late, min(timed))))
        for row, error, late in zip(able, errors, timed, strict=True)
    ]
    least = min(one.score for one in found)
    return tuple(
        sorted(
            found,
            key=lambda one: (one.score / least > ALIKE or not is_default(one.row), one.score),
        )
    )


def recommendation(
    order: Sequence[Ranked],
    rows: Sequence[Measured],
    reference: Reference,
    intended: int,
    signs: Sequence[str],
) -> str:
    """Return what to use, how sure that is, and what is wrong with the default, in words.

    Args:
        order: as `ranked` gives it.
        rows: of all estimators, those that refused included.
        reference: what they were held against.
        intended: trajectories of a gradient.
        signs: weak spots that were seen.
    """
    if not order:
        return "Every estimator refused; the table says why."
    best = order[0]
    said = [
        f"Use {best.row.name}: a gradient from {intended:,} trajectories is off by about "
        f"{percent(best.error)} of its size ({_parts_of_error(best.row, intended)}).",
        _how_sure(order, reference),
    ]
    if best.error > USELESS:
        said.insert(
            0,
            f"None is good with {intended:,} trajectories: the error is of the size of the "
            "gradient itself, because what the statistic is about happens too seldom or the noise "
            "is too large. Use more trajectories.",
        )
    default = next((row for row in rows if is_default(row)), None)
    is_weak = default is not None and _is_weak(default)
    if default is not None and not is_default(best.row):
        said.append(_of_default(default, order))
    if is_weak and signs:
        said.append(f"What is seen is a known weak spot of path derivatives: {'; '.join(signs)}.")
    elif signs and default is not None:
        said.append(
            f"Seen, and often a weak spot of path derivatives, though not found to be one at these "
            f"times: {'; '.join(signs)}. Check again before longer times or other parameters."
        )
    return " ".join(word for word in said if word)


def percent(share: float) -> str:
    """Return a share in percent with two digits, or `0 %` for rounding."""
    if share < ROUNDING:
        return "0 %"
    return f"{100.0 * share:.2g} %" if share < 0.995 else f"{100.0 * share:.0f} %"


def is_default(row: Measured) -> bool:
    """Tell whether a row is that of the default estimator."""
    return type(row.estimator) is TwoSidedAdjoint


def _ratio(value: float, least: float) -> float:
    return max(value, ROUNDING) / max(least, ROUNDING)


def _is_weak(row: Measured) -> bool:
    return row.gradients is None or (row.is_resolved and row.likely_bias > WORTH_NAMING)


def _parts_of_error(row: Measured, intended: int) -> str:
    if row.runs is not None:
        number, size = len(row.runs.values), row.runs.size
        said = f"by {number} gradients from {size:,} trajectories each"
        return f"{said}; bias {percent(row.bias_of_runs)}, noise taken off"
    said = f"{_bias_words(row)}; noise {percent(row.noise / math.sqrt(intended))}"
    if row.runs_refusal:
        return f"{said}; by batches, as all trajectories at once gave nothing: {row.runs_refusal}"
    return said


def _bias_words(row: Measured) -> str:
    if row.is_resolved:
        return f"bias {percent(row.bias)} ± {percent(row.bias_error)}, z = {row.z:.1f}"
    return f"bias not resolved, below {percent(row.largest_bias)}"


def _how_sure(order: Sequence[Ranked], reference: Reference) -> str:
    best = order[0]
    said = []
    if len(order) > 1:
        following = min(order[1:], key=lambda one: one.score)
        alike = [one for one in order[1:] if one.score < CLEAR * best.score]
        if not alike:
            said.append(
                f"That is clear: the next best, {following.row.name}, is off by "
                f"{percent(following.error)}, or {percent(following.at_equal_time)} in the time in "
                f"which this one comes to {percent(best.at_equal_time)}."
            )
        else:
            names = ", ".join(f"{one.row.name} ({percent(one.error)})" for one in alike)
            said.append(f"Others do nearly as well, and another seed may order them anew: {names}.")
    is_by_batches = best.row.runs is None
    if is_by_batches and not best.row.is_resolved and best.row.bias_error > WORTH_NAMING:
        whose = "" if reference.is_exact else " (the reference has an error too)"
        said.append(
            f"A bias below {percent(best.row.largest_bias)} cannot be told from noise here{whose}; "
            "check with more trajectories if that matters."
        )
    return " ".join(said)


def _of_default(row: Measured, order: Sequence[Ranked]) -> str:
    if row.gradients is None:
        return f"The default, {row.name}, refuses."
    own = next(one for one in order if one.row is row)
    return f"The default, {row.name}, is off by {percent(own.error)}: {_bias_words(row)}."
