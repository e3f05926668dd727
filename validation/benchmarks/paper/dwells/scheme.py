"""Markov schemes of one channel fitted to pairs of neighbouring dwells, and simulated exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import sbmlgrad as sg
from dwells.halves import Half, Layout

FloatArray = NDArray[np.float64]

#: A fit ends where a step raises the log-likelihood by less; from there on starts are compared.
TOLERANCE, ROUGH = 1e-4, 1e-2

#: Least exponent of a density, relative to that of the slowest state.
LOWEST = -600.0

#: Simulated records that are held at a time.
BLOCK = 50


@dataclass(frozen=True, eq=False)
class Scheme:
    """A fitted scheme.

    Attributes:
        opened: mean dwells of the open states, ms, float64 [open].
        shut: of the shut states, float64 [shut].
        onward: chances to go from an open state to a shut one, float64 [open, shut]; rows sum to 1.
        back: from a shut state to an open one, float64 [shut, open]; likewise.
        log_likelihood: of the pairs that were fitted.
        free: how many parameters that has.
    """

    opened: FloatArray
    shut: FloatArray
    onward: FloatArray
    back: FloatArray
    log_likelihood: float
    free: int

    @property
    def shares(self) -> FloatArray:
        """Shares of the openings by their state at equilibrium, float64 [open]."""
        return equilibrium(self.onward @ self.back)

    @property
    def shut_shares(self) -> FloatArray:
        """Likewise of the shuttings, float64 [shut]."""
        return self.shares @ self.onward


def equilibrium(chain: FloatArray) -> FloatArray:
    """Return what a chain leaves as it is, without a subtraction (Grassmann, Taksar, Heyman 1985).

    Args:
        chain: chances of the next state, float64 [state, next state]; rows sum to 1.

    Returns:
        Shares of the states, float64 [state].
    """
    rest = chain.copy()
    with np.errstate(divide="raise", invalid="raise"):
        for last in range(len(rest) - 1, 0, -1):
            rest[:last, last] /= rest[last, :last].sum()
            rest[:last, :last] += np.outer(rest[:last, last], rest[last, :last])
    weights = np.ones(1)
    for last in range(1, len(rest)):
        weights = np.append(weights, weights @ rest[:last, last])
    return weights / weights.sum()


def fit_scheme(half: Half, states: tuple[int, int], *, is_free: bool) -> Scheme:
    """Return a likely scheme by expectation-maximisation.

    It begins at mean dwells of equal parts of the sorted ones, and at such that are evenly spread
    on a logarithmic axis; the better of both is followed to the end. The chances back are those of
    the shuttings and the openings behind them, with the mean dwells held as they are.

    Args:
        half: what is fitted.
        states: numbers of open and of shut states.
        is_free: whether the next state depends on the last.
    """
    both = half.opened, half.shut
    even = np.full(states, 1.0 / (states[0] * states[1]))
    rough = [
        _pairs_fit(*both, _Point(even, *map(spread, both, states)), is_free=is_free, least=ROUGH)
        for spread in (_parts, _scale)
    ]
    best = max(rough, key=lambda found: found[1])[0]
    pairs, value = _pairs_fit(*both, best, is_free=is_free)
    if is_free:
        goes_on = np.isfinite(half.following)
        onto = half.shut[goes_on], half.following[goes_on]
        start = _Point(even.T.copy(), pairs.others, pairs.means)
        back = _pairs_fit(*onto, start, is_free=True, is_held=True)[0].shares
    else:
        back = np.tile(pairs.shares.sum(axis=1), (states[1], 1))
    free = sum(states) + (states[0] * states[1] - 1 if is_free else sum(states) - 2)
    onward, back = (m / m.sum(axis=1, keepdims=True) for m in (pairs.shares, back))
    return Scheme(pairs.means, pairs.others, onward, back, value, free)


def _parts(durations: FloatArray, count: int) -> FloatArray:
    cuts = np.array_split(np.sort(durations), count)
    return np.array([cut.mean() for cut in cuts])


def _scale(durations: FloatArray, count: int) -> FloatArray:
    if count == 1:
        return np.array([durations.mean()])
    low, high = np.quantile(durations, (0.1, 0.999)).tolist()
    return np.geomspace(low, high, count)


@dataclass(frozen=True, eq=False)
class _Point:
    """Shares of pairs of states, float64 [first, second], and the mean dwells of both."""

    shares: FloatArray
    means: FloatArray
    others: FloatArray

    def vector(self) -> FloatArray:
        return np.concatenate([self.shares.ravel(), np.log(self.means), np.log(self.others)])

    def like(self, vector: FloatArray) -> _Point:
        """Return the point that a vector stands for."""
        cuts = np.cumsum([self.shares.size, len(self.means)])
        shares, means, others = np.split(vector, cuts)
        shares = shares.reshape(self.shares.shape) / shares.sum()
        return _Point(shares, np.exp(means), np.exp(others))


def _pairs_fit(
    first: FloatArray,
    second: FloatArray,
    point: _Point,
    *,
    is_free: bool,
    is_held: bool = False,
    least: float = TOLERANCE,
) -> tuple[_Point, float]:
    """Return likely shares of pairs of exponential dwells, their means, and the log-likelihood.

    Two steps of expectation-maximisation tell where they lead to; a point further on is taken if
    that is more likely (SQUAREM, Varadhan and Roland 2008). Plain steps would need ten times as
    many.
    """

    def step(at: _Point) -> tuple[_Point, float]:
        return _step(first, second, at, is_free=is_free, is_held=is_held)

    while True:
        one, before = step(point)
        two, value = step(one)
        if value - before < least:
            return two, value
        start = point.vector()
        moved = one.vector() - start
        bent = two.vector() - one.vector() - moved
        length, point = max(1.0, float(np.sqrt((moved @ moved) / max(bent @ bent, 1e-300)))), two
        while length > 1.01:
            far = start + 2.0 * length * moved + length**2 * bent
            if (far[: two.shares.size] >= 0.0).all():
                tried, likely = step(two.like(far))
                if likely >= value:
                    point = tried
                    break
            length = (1.0 + length) / 2.0


def _step(
    first: FloatArray, second: FloatArray, at: _Point, *, is_free: bool, is_held: bool
) -> tuple[_Point, float]:
    """Return the next point of expectation-maximisation, and the log-likelihood of this one."""
    shares = np.maximum(at.shares, 1e-300)
    rates, other_rates = 1.0 / at.means, 1.0 / at.others
    # Densities are taken over the slowest decay, so that none of their sums vanishes.
    low, other_low = rates.min(), other_rates.min()
    # Exponents end at LOWEST: 1e-260 adds nothing, and numbers that underflow are slow.
    left = rates[:, None] * np.exp(np.maximum((low - rates)[:, None] * first, LOWEST))
    behind = np.maximum((other_low - other_rates)[:, None] * second, LOWEST)
    right = other_rates[:, None] * np.exp(behind)
    from_left = left * (shares @ right)
    total = from_left.sum(axis=0)
    value = float(np.log(total).sum() - low * first.sum() - other_low * second.sum())
    left /= total
    found = shares * (left @ right.T) / len(first)
    if not is_free:
        found = np.outer(found.sum(axis=1), found.sum(axis=0))
    if is_held:
        return _Point(found, at.means, at.others), value
    from_left /= total
    from_right = right * (shares.T @ left)
    means = (from_left @ first) / from_left.sum(axis=1)
    others = (from_right @ second) / from_right.sum(axis=1)
    return _Point(found, means, others), value


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


def simulate(scheme: Scheme, layout: Layout, copies: int, seed: int) -> Iterator[tuple[Half, Half]]:
    """Simulate both halves of records that are cut as a real one, each a chain from equilibrium."""
    model = network(scheme)
    rng = np.random.default_rng(seed)
    opened = rng.choice(len(scheme.opened), size=copies, p=scheme.shares)
    starts = (np.arange(len(model.species_ids)) == opened[:, None]).astype(np.float64)
    readout = sg.AfterFirings(range(1, 2 * layout.count + 1))
    for done in range(0, copies, BLOCK):
        cells = sg.simulate(
            model,
            readouts=[readout],
            trajectories=min(BLOCK, copies - done),
            first_trajectory=done,
            seed=seed,
            starts=starts,
        )
        for row in np.diff(cells.values("time", readout=readout), axis=1, prepend=0.0):
            yield layout.halves(row[0::2], row[1::2])
