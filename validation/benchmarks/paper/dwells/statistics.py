"""Statistics of pairs of dwells, and what a scheme expects of them in closed form."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from dwells.halves import Half
from dwells.scheme import Scheme

FloatArray = NDArray[np.float64]

#: Shut dwells up to so many ms do not end a burst.
GAP = 3.0

#: Times after the beginning of an opening at which the channel is looked at again, ms.
LATER = (1.0, 10.0)

#: Openings of a burst up to which its sizes are compared.
LONGEST = 200

#: Pairs that must be left in a stretch behind an opening from which that is done.
AHEAD = 10

#: Times at which the whole course of that is looked at, ms.
COURSE = np.geomspace(0.01, 10.0, 25)

#: Distances from what a scheme expects, which are to be as small as they can be.
DISTANCES = (
    "distance of open dwells",
    "distance of shut dwells",
    "distance of the ensemble at openings",
    "distance of openings a burst",
)

#: Statistic → scale on which it is compared, for its scatter to be about normal there.
SCALES = {
    **dict.fromkeys(DISTANCES, "log"),
    "mean opening, ms": "log",
    "mean shutting in bursts, ms": "log",
    "share of time open": "logit",
    "openings a burst": "log",
    "correlation with the shutting behind": "plain",
    "correlation with the opening behind": "plain",
    "open 1 ms after an opening began": "plain",
    "open 10 ms after an opening began": "plain",
}


#: Tells records of these statistics from those of others.
EDITION = f"{zlib.crc32(' '.join(SCALES).encode()):08x}"


def check_bursts(half: Half) -> None:
    """Refuse a half that has no statistics of bursts.

    Raises:
        ValueError: no shutting ends a burst, all do, or no stretch is long enough.
    """
    if not 1 < (half.shut > GAP).sum() < len(half.shut):
        raise ValueError(
            f"shuttings of a half are from {half.shut.min():g} to {half.shut.max():g} ms, so that "
            f"those above {GAP:g} ms do not tell bursts; are durations and dead time in ms?"
        )
    if half.left.max() < AHEAD:
        raise ValueError(f"no stretch of a half has {AHEAD} pairs of dwells in a row")


def observed(half: Half, scheme: Scheme) -> FloatArray:
    """Return the statistics of a half, the first four as distances from a scheme.

    Returns:
        Values in the order of `SCALES`, float64 [statistic].

    Raises:
        ValueError: the half has no bursts to speak of.
    """
    check_bursts(half)
    goes_on = np.isfinite(half.following)
    return np.array(
        [
            _distance(half.opened, scheme.shares, scheme.opened),
            _distance(half.shut, scheme.shut_shares, scheme.shut),
            np.abs(open_later(half, COURSE) - expected_later(scheme, COURSE)).max(),
            np.abs(burst_sizes(half) - expected_bursts(scheme)).max(),
            half.opened.mean(),
            half.shut[half.shut <= GAP].mean(),
            half.opened.sum() / (half.opened.sum() + half.shut.sum()),
            len(half.shut) / (half.shut > GAP).sum(),
            _rank_correlation(half.opened, half.shut),
            _rank_correlation(half.shut[goes_on], half.following[goes_on]),
            *open_later(half, np.array(LATER)),
        ]
    )


def expected(scheme: Scheme) -> FloatArray:
    """Return the statistics of endless records of a scheme, NaN for distances [statistic]."""
    shares, shut_shares = scheme.shares, scheme.shut_shares
    mean, mean_shut = shares @ scheme.opened, shut_shares @ scheme.shut
    lasting = np.exp(-GAP / scheme.shut)
    brief = shut_shares @ (scheme.shut - (GAP + scheme.shut) * lasting)
    onward, back = shares[:, None] * scheme.onward, shut_shares[:, None] * scheme.back
    ranks, shut_ranks = _ranks(shares, scheme.opened), _ranks(shut_shares, scheme.shut)
    return np.array(
        [
            *(np.nan,) * len(DISTANCES),
            mean,
            brief / (shut_shares @ (1.0 - lasting)),
            mean / (mean + mean_shut),
            1.0 / (shut_shares @ lasting),
            12.0 * ranks @ onward @ shut_ranks - 3.0,
            12.0 * shut_ranks @ back @ ranks - 3.0,
            *expected_later(scheme, np.array(LATER)),
        ]
    )


def differences(half: Half, scheme: Scheme) -> FloatArray:
    """Return how far statistics are from what a scheme expects, on their scales [statistic]."""
    seen, told = on_scale(observed(half, scheme)), on_scale(expected(scheme))
    return seen - np.where(np.isnan(told), 0.0, told)


def on_scale(values: FloatArray) -> FloatArray:
    """Return statistics on the scales of their comparison [statistic]."""
    return _each(values, {"log": np.log, "logit": lambda x: np.log(x) - np.log1p(-x)})


def off_scale(values: FloatArray) -> FloatArray:
    """Return statistics from the scales of their comparison [statistic]."""
    return _each(values, {"log": np.exp, "logit": lambda x: 1.0 / (1.0 + np.exp(-x))})


def _each(values: FloatArray, ways: dict) -> FloatArray:
    pairs = zip(values, SCALES.values(), strict=True)
    return np.array([ways[scale](value) if scale in ways else value for value, scale in pairs])


def open_later(half: Half, later: FloatArray) -> FloatArray:
    """Return how many of the channels are open so long after an opening began.

    Openings count that have `AHEAD` pairs in their stretch; an opening is left out where those end
    before the time, which is rare, and as rare in simulated halves.

    Args:
        half: pairs in order.
        later: times, ms, float64 [time].

    Returns:
        Shares, float64 [time].
    """
    starts = np.concatenate([[0.0], np.cumsum(half.opened + half.shut)])
    own = np.flatnonzero(half.left >= AHEAD)
    shares = []
    for time in later:
        moment = starts[own] + time
        place = np.searchsorted(starts, moment, side="right") - 1
        is_inside = place < own + AHEAD
        place, moment = place[is_inside], moment[is_inside]
        shares.append(float(np.mean(moment - starts[place] < half.opened[place])))
    return np.array(shares)


def expected_later(scheme: Scheme, later: FloatArray) -> FloatArray:
    """Return the chance to be open so long after an opening began, by the scheme's generator."""
    number = len(scheme.opened)
    generator = np.diag(-1.0 / np.concatenate([scheme.opened, scheme.shut]))
    generator[:number, number:] = scheme.onward / scheme.opened[:, None]
    generator[number:, :number] = scheme.back / scheme.shut[:, None]
    start = np.append(scheme.shares, np.zeros(len(scheme.shut)))
    return np.array([(start @ expm(generator * time))[:number].sum() for time in later])


def burst_sizes(half: Half) -> FloatArray:
    """Return the share of bursts with at least 1, 2, ... `LONGEST` openings, float64 [size]."""
    openings = np.diff(np.flatnonzero(half.shut > GAP))
    return (openings[:, None] >= np.arange(1, LONGEST + 1)).mean(axis=0)


def expected_bursts(scheme: Scheme) -> FloatArray:
    """Return what a scheme expects of `burst_sizes`: it shuts briefly again and again."""
    lasting = np.exp(-GAP / scheme.shut)
    begins = (scheme.shut_shares * lasting) @ scheme.back
    again = scheme.onward @ ((1.0 - lasting)[:, None] * scheme.back)
    found, left = [], begins / begins.sum()
    for _ in range(LONGEST):
        found.append(float(left.sum()))
        left = left @ again
    return np.array(found)


def _distance(sample: FloatArray, shares: FloatArray, means: FloatArray) -> float:
    """Return the Kolmogorov-Smirnov distance of a sample from a mixture of exponentials."""
    ordered = np.sort(sample)
    below = -(shares @ np.expm1(-ordered / means[:, None]))
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max((steps[1:] - below).max(), (below - steps[:-1]).max()))


def _ranks(shares: FloatArray, means: FloatArray) -> FloatArray:
    """Return the mean rank, from 0 to 1, of dwells of each state among those of all [state]."""
    return (means[:, None] / (means[:, None] + means)) @ shares


def _rank_correlation(a: FloatArray, b: FloatArray) -> float:
    ranks = np.stack([np.argsort(np.argsort(values)) for values in (a, b)])
    return float(np.asarray(np.corrcoef(ranks))[0, 1])
