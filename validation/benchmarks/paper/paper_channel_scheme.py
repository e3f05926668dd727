"""Markov schemes of one channel fitted to pairs of neighbouring dwells, and simulated exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import sbmlgrad as sg

FloatArray = NDArray[np.float64]

#: Label of dwells in the open state.
OPEN = "1"

#: Most dwells of a stretch.
LONGEST = 100


@dataclass(frozen=True, eq=False)
class Half:
    """Pairs of neighbouring dwells, each an opening and the shutting behind it.

    Attributes:
        opened: durations beyond the dead time, ms, float64 [pair].
        shut: likewise.
        following: of the opening behind that, NaN where a stretch ends.
    """

    opened: FloatArray
    shut: FloatArray
    following: FloatArray


@dataclass(frozen=True, eq=False)
class Scheme:
    """A fitted scheme.

    Attributes:
        opened: mean dwells of the open states, ms, float64 [open].
        shut: of the shut states, float64 [shut].
        onward: chances to go from an open state to a shut one, float64 [open, shut]; rows sum to 1.
        back: from a shut state to an open one, float64 [shut, open]; likewise.
        shares: of the openings by their state, float64 [open].
        log_likelihood: of the pairs that were fitted.
        free: how many parameters that has.
    """

    opened: FloatArray
    shut: FloatArray
    onward: FloatArray
    back: FloatArray
    shares: FloatArray
    log_likelihood: float
    free: int


def halves(path: Path, dead_time: float) -> tuple[Half, Half]:
    """Return the pairs of every other stretch of a record, and those of the rest."""
    record = sg.load_dwells(path, dead_time=dead_time)
    opened = record.states.index(OPEN)
    pairs: tuple[list[int], list[int]] = ([], [])
    for number, (first, end) in enumerate(_stretches(record.runs)):
        first += int(record.state_index[first] != opened)
        pairs[number % 2].extend(range(first, end - 1, 2))
    beyond = record.duration - dead_time
    made = []
    for own in map(np.array, pairs):
        # A pair whose neighbour is in the same stretch begins two dwells further on.
        is_followed = np.append(np.diff(own) == 2, False)
        following = np.where(is_followed, beyond[np.minimum(own + 2, len(beyond) - 1)], np.nan)
        made.append(Half(beyond[own], beyond[own + 1], following))
    return made[0], made[1]


def _stretches(runs: Sequence[tuple[int, int]], longest: int = LONGEST) -> list[tuple[int, int]]:
    """Return runs, cut into stretches that are short enough to alternate."""
    return [
        (start, min(start + longest, end))
        for first, end in runs
        for start in range(first, end, longest)
        if min(start + longest, end) - start >= 3
    ]


def fit_scheme(half: Half, states: tuple[int, int], *, is_free: bool) -> Scheme:
    """Return a likely scheme by expectation-maximisation from spread quantiles.

    The chances back are those of the shuttings and the openings behind them, with the mean dwells
    held as they are.
    """
    opened, shut = (_spread(d, n) for d, n in zip((half.opened, half.shut), states, strict=True))
    onward, opened, shut, value = _pairs_fit(half.opened, half.shut, opened, shut, is_free=is_free)
    shares = onward.sum(axis=1)
    if is_free:
        goes_on = np.isfinite(half.following)
        back, *_ = _pairs_fit(
            half.shut[goes_on],
            half.following[goes_on],
            shut,
            opened,
            is_free=True,
            is_held=True,
        )
    else:
        back = np.tile(shares, (states[1], 1))
    free = sum(states) + (states[0] * states[1] - 1 if is_free else sum(states) - 2)
    onward, back = (m / m.sum(axis=1, keepdims=True) for m in (onward, back))
    return Scheme(opened, shut, onward, back, shares, value, free)


def _spread(durations: FloatArray, count: int) -> FloatArray:
    cuts = np.array_split(np.sort(durations), count)
    return np.maximum([cut.mean() for cut in cuts], 1e-6)


def _pairs_fit(
    first: FloatArray,
    second: FloatArray,
    means: FloatArray,
    others: FloatArray,
    *,
    is_free: bool,
    is_held: bool = False,
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Return shares [first, second] of pairs of exponential dwells, both means and likelihood."""
    shares, before = np.full((len(means), len(others)), 1.0 / (len(means) * len(others))), -np.inf
    while True:
        logs = (
            np.log(np.maximum(shares, 1e-300))
            - np.log(means)[:, None]
            - np.log(others)
            - (first[:, None] / means)[:, :, None]
            - (second[:, None] / others)[:, None, :]
        )
        highest = logs.max(axis=(1, 2), keepdims=True)
        weights = np.exp(logs - highest)
        total = weights.sum(axis=(1, 2), keepdims=True)
        value = float((np.log(total) + highest).sum())
        if value - before < 1e-4:
            return shares, means, others, value
        weights /= total
        before, shares = value, weights.mean(axis=0)
        if not is_free:
            shares = shares.sum(axis=1, keepdims=True) * shares.sum(axis=0)
        if not is_held:
            left, right = weights.sum(axis=2), weights.sum(axis=1)
            means = (left * first[:, None]).sum(axis=0) / left.sum(axis=0)
            others = (right * second[:, None]).sum(axis=0) / right.sum(axis=0)


def network(scheme: Scheme) -> sg.ReactionNetwork:
    """Return one channel as a network, its states as species, times in ms."""
    names = [f"O{i}" for i in range(len(scheme.opened))]
    names += [f"S{j}" for j in range(len(scheme.shut))]
    lines = ["model channel", f"substanceOnly species {', '.join(names)};"]
    ways = (("O", scheme.opened, "S", scheme.onward), ("S", scheme.shut, "O", scheme.back))
    for a, means, b, chances in ways:
        for i, mean in enumerate(means.tolist()):
            for j, chance in enumerate(chances[i].tolist()):
                lines.append(f"{a}{i} -> {b}{j}; {chance / mean!r}*{a}{i};")
    lines += [f"{name} = 0;" for name in names]
    return sg.load("\n".join([*lines, "end"]))


def simulate(scheme: Scheme, pairs: int, copies: int, seed: int) -> list[Half]:
    """Simulate halves of so many pairs, each from an opening as often as its state is seen."""
    model = network(scheme)
    rng = np.random.default_rng(seed)
    starts = rng.choice(len(scheme.opened), size=copies, p=scheme.shares)
    readout = sg.AfterFirings(range(1, 2 * pairs + 1))
    found = []
    for start in range(len(scheme.opened)):
        number = int((starts == start).sum())
        if number:
            cells = sg.simulate(
                model,
                readouts=[readout],
                trajectories=number,
                seed=seed + start,
                initial={f"O{start}": 1.0},
            )
            dwells = np.diff(cells.values("time", readout=readout), axis=1, prepend=0.0)
            for row in dwells:
                following = np.append(row[2::2], np.nan)
                found.append(Half(row[0::2], row[1::2], following))
    return found
