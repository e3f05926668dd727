"""Signs of what gradients along paths are known to fail on, in an ensemble."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.readouts import AfterFirings, ValuesAt
from sbmlgrad.gradients.check.task import Task
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.operators import evaluate

FloatArray = NDArray[np.float64]

#: Times at which the ensemble is looked at, and trajectories.
LOOKS = 64
TRAJECTORIES = 400

#: Most values that a switch takes.
FEW_VALUES = 4

#: Changes of a switch by the end, up to which it is slow.
FEW_CHANGES = 8.0

#: Mean count up to which a variance is near zero.
FEW_MOLECULES = 5.0

#: Bins of a histogram at most, by how many it is smoothed, and how deep a valley must be, relative
#: to the lower of two modes: with these trajectories noise digs to about 0.8.
BINS, BLUR, DEEP = 30, 1.5, 0.6

#: Smallest share of trajectories in the lesser of two states.
LESSER = 0.05

#: Share of all looks in which a reaction lacks what it needs, from which that is seen.
OFTEN = 0.05


def weak_spots(task: Task) -> tuple[str, ...]:
    """Return, in words, what is seen in the ensemble that gradients along paths may fail on."""
    found: list[str] = []
    if task.lowered.is_timed:
        # No estimator follows paths there.
        return ()
    if task.statistic.kind == "probability":
        found.append("a probability jumps, and a path derivative cannot see jumps")
    if isinstance(task.readout, AfterFirings):
        return tuple(found)
    states = _look(task)
    ids = task.lowered.species_ids
    read = np.flatnonzero(task.weights.any(axis=(0, 1)))
    if task.statistic.kind == "variance":
        means = states.mean(axis=(0, 1))
        near = [ids[s] for s in read if means[s] < FEW_MOLECULES]
        if near:
            found.append(f"the variance is of counts near zero ({', '.join(near)})")
    if _is_linear(task):
        # Then values are affine or quadratic in the state, and slopes along paths tell them.
        return tuple(found)
    slow = [ids[s] for s in range(len(ids)) if _is_slow_switch(states[:, :, s])]
    if slow:
        found.append(f"slow switching of {', '.join(slow)}, which change a few times by the end")
    double = [ids[s] for s in range(len(ids)) if ids[s] not in slow and _has_two(states[:, -1, s])]
    if double:
        found.append(f"bistability: two states of {', '.join(double)}")
    short = _short_of(task, states)
    if short:
        words = "; ".join(f"{', '.join(reactions)} for want of {s}" for s, reactions in short)
        found.append(
            "reactants run out or are not made yet (it may be harmless, as with enzymes that are "
            f"saturated), and what cannot fire counts to first order only: {words}"
        )
    return tuple(found)


def _look(task: Task) -> FloatArray:
    """Return states float64 [trajectory, time, species] up to the last point."""
    until = float(task.readout.points[-1])
    times = np.linspace(0.0, until, LOOKS + 1) if until > 0.0 else np.zeros(1)
    looking = replace(task, readout=ValuesAt(times.tolist()), batch=TRAJECTORIES)
    return looking.sample(0)[:, :, : len(task.lowered.species_ids)]


def _is_linear(task: Task) -> bool:
    """Tell whether every propensity is affine in the counts."""
    species = set(task.lowered.species_ids)
    return not any(symbols(p.expression) & species for p in task.lowered.state_partials)


def _short_of(task: Task, states: FloatArray) -> list[tuple[str, list[str]]]:
    """Return species that often run out, and the reactions that cannot fire without them.

    There the propensity is zero and its derivative in the species is not, so that the half of the
    estimate that firings give is missing. That need not be a bias: first order may be enough, and
    on an enzyme that is mostly bound no bias is resolved (validation/gradient_bias.py).
    """
    lowered = task.lowered
    ids = lowered.species_ids
    values: dict[str, Any] = {id: states[:, :, i] for i, id in enumerate(ids)}
    inputs = task.request(0, 1).inputs.tolist()
    values |= dict(zip(lowered.input_ids, inputs, strict=True))
    found: dict[str, list[str]] = {}
    for one in lowered.state_partials:
        channel = lowered.channels[one.reaction]
        # A law without a derivative at zero, such as sqrt(X), has an infinite one: not zero either.
        with np.errstate(all="ignore"):
            is_zero = np.asarray(evaluate(channel.propensity, values)) == 0.0
            has_slope = np.asarray(evaluate(one.expression, values)) != 0.0
        if np.broadcast_to(is_zero & has_slope, states.shape[:2]).mean() > OFTEN:
            found.setdefault(ids[one.variable], []).append(channel.id)
    return sorted(found.items(), key=lambda pair: ids.index(pair[0]))


def _is_slow_switch(values: FloatArray) -> bool:
    """Tell whether values [trajectory, time] are few, and changed only a few times."""
    if np.ptp(values) == 0.0 or np.ptp(values) >= FEW_VALUES:
        return False
    changes = np.count_nonzero(np.diff(values, axis=1), axis=1).mean()
    return bool(changes <= FEW_CHANGES)


def _has_two(values: FloatArray) -> bool:
    """Tell whether numbers [trajectory] have two modes with a clear valley between."""
    from scipy.ndimage import gaussian_filter1d

    low, high = values.min(), values.max()
    if high - low < FEW_VALUES:
        return False
    bins = int(min(high - low + 1, BINS))
    counts, _ = np.histogram(values, bins=bins, range=(low - 0.5, high + 0.5))
    smooth = gaussian_filter1d(counts.astype(np.float64), BLUR)
    for valley in range(1, bins - 1):
        sides = counts[:valley].sum(), counts[valley + 1 :].sum()
        is_deep = smooth[valley] < DEEP * min(smooth[:valley].max(), smooth[valley + 1 :].max())
        if is_deep and min(sides) >= LESSER * len(values):
            return True
    return False
