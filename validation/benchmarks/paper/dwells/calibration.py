"""How often the test of schemes rejects right ones and wrong ones, on simulated records.

A data set is a record simulated from the chosen scheme of a real one, and judged by a class of
schemes. To rank each among hundreds of replicates would take days; so every data set is given one
replicate, drawn from its own fit and fitted again, and each is ranked among the replicates of all
(warp-speed bootstrap, Giacomini, Politis and White 2013). That measures the level of a test with
many replicates, as far as the null distribution does not depend on the data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_records import keep, kept

from dwells.bootstrap import sizes_of
from dwells.curves import plain
from dwells.halves import Half, Layout
from dwells.scheme import Scheme, fit_scheme, simulate
from dwells.statistics import EDITION, differences
from dwells.work import chosen, done, latest, seed_of, verdict_of

FloatArray = NDArray[np.float64]

#: Of so many data sets one is judged by every wrong class, too.
FEWER = 5

#: By how much openings of the judged half are shorter where a record that changes is planted.
DRIFT = 0.2


@dataclass(frozen=True)
class Plan:
    """What data sets of a fitted scheme are judged by, every so many of them."""

    name: str
    judged: tuple[int, int, bool]
    every: int = FEWER
    is_drifting: bool = False


def plans(truth: tuple[int, int, bool]) -> tuple[Plan, ...]:
    """Return what is measured of a true scheme: the level, and the power at planted faults."""
    opened, shut, is_free = truth
    return (
        Plan("the class of the truth", truth, every=1),
        Plan("the same states with tied shares", (opened, shut, False)),
        Plan("one open state fewer", (opened - 1, shut, is_free)),
        Plan("one shut state fewer", (opened, shut - 1, is_free)),
        Plan("its class, unseen openings shortened", truth, is_drifting=True),
    )


def calibrate(records: Path, number: int) -> None:
    """Judge so many data sets of the chosen scheme of each record, but for those kept before."""
    lines = kept(records)
    works = []
    for own in done(lines, kind="record"):
        best = chosen(latest(lines, own["record"]))
        truth, layout = verdict_of(best).scheme, Layout(tuple(own["layout"]))
        key = {"kind": "calibration", "record": own["record"], "truth": best["scheme"]}
        works += [(key, plan, truth, layout) for plan in plans(tuple(best["scheme"]))]
    # All plans go on side by side, so that a campaign that is cut has something of each.
    for data_set in range(number):
        for key, plan, truth, layout in works:
            own = {**key, "plan": plan.name, "number": data_set}
            compared = {"statistics": EDITION}
            if data_set % plan.every == 0 and not done(lines, **own, **compared):
                judged = _judged(plan, truth, layout, seed_of(*own.values()))
                keep(records, {**own, **compared, **judged})
                print(*own.values(), flush=True)


def _judged(plan: Plan, truth: Scheme, layout: Layout, seed: int) -> dict[str, list[float]]:
    """Return differences of a data set, of its replicate, and of that if it is not fitted again."""
    opened, shut, is_free = plan.judged
    fitted, unseen = next(simulate(truth, layout, 1, seed))
    if plan.is_drifting:
        unseen = shortened(unseen)
    fit = fit_scheme(fitted, (opened, shut), is_free=is_free)
    first, second = next(simulate(fit, layout, 1, seed + 1))
    again = fit_scheme(first, (opened, shut), is_free=is_free)
    return {
        "off": plain(differences(unseen, fit)),
        "refitted": plain(differences(second, again)),
        "not refitted": plain(differences(second, fit)),
    }


def shortened(half: Half) -> Half:
    """Return a half whose openings are shorter, as of a channel that changed meanwhile."""
    return Half((1.0 - DRIFT) * half.opened, half.shut, (1.0 - DRIFT) * half.following)


def p_values(lines: list[dict[str, Any]], null: str = "refitted") -> FloatArray:
    """Return p-values of data sets that are judged alike, each over all statistics.

    Args:
        lines: of the data sets.
        null: what they are ranked among, `refitted` replicates or those that are `not refitted`.

    Returns:
        p-values, float64 [data set].
    """
    off, drawn = (np.array([line[name] for line in lines]) for name in ("off", null))
    largest = sizes_of(drawn, drawn).max(axis=1)
    sizes = sizes_of(off, drawn).max(axis=1)
    return (1.0 + (largest >= sizes[:, None]).sum(axis=1)) / (1.0 + len(lines))
