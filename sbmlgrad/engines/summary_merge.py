"""The summary of the trajectories of two summaries, where they belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sbmlgrad.engines import accumulate, sketch
from sbmlgrad.errors import RequestError

if TYPE_CHECKING:
    from sbmlgrad.engines.ensemble_summary import EnsembleSummary

Parts = tuple[tuple[int, int], ...]


def merged(one: EnsembleSummary, other: EnsembleSummary) -> EnsembleSummary:
    """Return the summary of both; see `EnsembleSummary.merge`."""
    if not isinstance(other, type(one)):
        raise RequestError(f"merge: pass another summary, not {other!r}")
    for what, is_same in _compared(one, other):
        if not is_same:
            raise RequestError(f"merge: the two summaries differ in {what}")
    parts = _joined(one.parts + other.parts)
    engines = dict.fromkeys((one.engine, other.engine))
    return replace(
        one,
        moments=tuple(map(accumulate.added, one.moments, other.moments)),
        sketches=tuple(map(sketch.merged, one.sketches, other.sketches)),
        outcomes={outcome: n + other.outcomes[outcome] for outcome, n in one.outcomes.items()},
        firings=one.firings + other.firings,
        parts=parts,
        engine="; ".join(engines),
    )


def _compared(a: EnsembleSummary, b: EnsembleSummary) -> list[tuple[str, bool]]:
    """Return what has to be the same, and whether it is."""
    same_model = a.network is b.network or a.network == b.network
    return [
        ("the model", same_model),
        ("parameters", np.array_equal(a.parameters, b.parameters, equal_nan=True)),
        ("initial values", _equal(a.constants, b.constants) and a.initial == b.initial),
        ("precision", ("float32" in a.engine) == ("float32" in b.engine)),
        ("times or readouts", a.readouts == b.readouts),
        ("quantities", (a.asked, a.tracked) == (b.asked, b.tracked)),
        ("covariances", np.array_equal(a.moments[0].pairs, b.moments[0].pairs)),
        ("bins", a.sketches[0].bins == b.sketches[0].bins),
        ("what becomes of failures", a.is_conditional == b.is_conditional),
        ("the seed", a.seed == b.seed),
    ]


def _equal(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    keys = list(a)
    return keys == list(b) and np.array_equal(
        np.array([a[k] for k in keys], dtype=np.float64),
        np.array([b[k] for k in keys], dtype=np.float64),
        equal_nan=True,
    )


def _joined(parts: Parts) -> Parts:
    """Sort ranges and join neighbours; overlapping ones are refused."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(parts):
        if found and first < found[-1][1]:
            raise RequestError(
                f"merge: trajectories {first} to {min(end, found[-1][1]) - 1} are in both "
                "summaries and would count twice; give the second one another first_trajectory"
            )
        if found and first == found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((first, end))
    return tuple(found)
