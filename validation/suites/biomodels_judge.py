"""When does a simulator count as running a model rightly?

A peer's answer is `wrong` if the file holds a construct that this simulator is measured to
mishandle (table below), whatever its numbers; else `right` if its means and variances agree with
ours, `disagrees` if they do not, twice, with fresh seeds; and `not judged` where ours gives nothing
to compare with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import stats

#: Simulator → construct (see `biomodels_files.FEATURES`, and `non_integer_start`) → what it does.
FAULTS: Mapping[str, Mapping[str, str]] = {
    "roadrunner": {
        "mole": "takes mole for molecules",
        "reversible_difference": "fires a reversible law on its net rate",
        "time_event": "lets a timed event wait for the next firing",
        "non_integer_start": "counts in fractions of molecules",
    },
    "copasi": {
        "time_in_law": "freezes the time in a law between firings",
        "rate_rule": "leaves what a rate rule changes as it is between firings",
        "non_integer_start": "rounds counts without being asked",
    },
    "gillespy2": {
        "mole": "takes mole for molecules",
        "boundary": "lets reactions change a boundary species",
    },
}

#: Values of one side that differ by less, relative to their size, are equal: unit conversions.
EQUAL = 1e-6

#: Chance that right simulators are found to disagree in one comparison.
FALSE_ALARM = 1e-3


def structural_faults(peer: str, constructs: frozenset[str]) -> tuple[str, ...]:
    """Return what a peer does wrong with the constructs of a file.

    Args:
        peer: name of the simulator.
        constructs: as `biomodels_files.features` finds them, and `non_integer_start`.
    """
    return tuple(fault for name, fault in FAULTS.get(peer, {}).items() if name in constructs)


def disagreement(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], false_alarm: float = FALSE_ALARM
) -> NDArray[np.bool_]:
    """Return where means or variances of two samples differ, bool [2, time, species].

    Differences are judged in standard errors that each side's own moments give, against Student's
    t with Bonferroni's bound over all statistics, as `sbmlgrad.validate` does. Where neither side
    varies, values must be equal.

    Args:
        ours: amounts, float64 [trajectory, time, species].
        theirs: likewise, as many trajectories.
        false_alarm: chance that right simulators differ anywhere.
    """
    n = len(ours)
    tested = 2 * ours.shape[1] * ours.shape[2]
    bound = float(stats.t.isf(false_alarm / (2 * max(tested, 1)), n - 1))
    mean = ours.mean(axis=0), theirs.mean(axis=0)
    distance = ours - mean[0], theirs - mean[1]
    variance = [(d**2).sum(axis=0) / (n - 1) for d in distance]
    scale = np.maximum(np.abs(ours).max(axis=0), np.abs(theirs).max(axis=0)) * EQUAL + 1e-300
    of_variance = [
        np.maximum((d**4).mean(axis=0) - (n - 3) / (n - 1) * v**2, 0.0) / n
        for d, v in zip(distance, variance, strict=True)
    ]
    mean_error = np.sqrt((variance[0] + variance[1]) / n)
    variance_error = np.sqrt(of_variance[0] + of_variance[1])
    return np.stack(
        [
            np.abs(mean[0] - mean[1]) > bound * mean_error + scale,
            np.abs(variance[0] - variance[1]) > bound * variance_error + scale**2 + scale,
        ]
    )


def starts_differ(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> bool:
    """Tell whether two samples start from different amounts, float64 [trajectory, time, species].

    2.5 molecules are 2 or 3, as a simulator rounds.
    """
    first, second = ours[:, 0].mean(axis=0), theirs[:, 0].mean(axis=0)
    return bool((np.abs(first - second) > EQUAL * np.maximum(np.abs(first), np.abs(second))).any())


def usable(values: NDArray[np.float64]) -> bool:
    """Tell whether a sample is one of amounts: finite, and nowhere below zero."""
    return bool(np.isfinite(values).all() and (values >= -math.ulp(1.0)).all())
