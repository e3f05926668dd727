"""The parameter table: what is estimated, on what scale, within what bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sbmlgrad.io.petab.priors import (
    OBJECTIVE,
    START,
    VERSION_1,
    VERSION_2,
    is_same,
    of_value,
    prior_in,
)
from sbmlgrad.io.petab.rows import Row, distinct
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import SCALES, ProblemParameter

#: Columns that must be there, by version.
REQUIRED: Mapping[int, tuple[str, ...]] = {
    1: ("parameterId", "parameterScale", "lowerBound", "upperBound", "estimate"),
    2: ("parameterId", "lowerBound", "upperBound", "estimate"),
}
_YES = {"1": True, "0": False, "1.0": True, "0.0": False, "true": True, "false": False}


def parameters_of(
    rows: Sequence[Row], version: int, names: Mapping[str, str]
) -> tuple[ProblemParameter, ...]:
    """Return the parameters of a problem.

    PEtab 2 leaves the scale of the search to the tool: it is the one of an additional column
    `parameterScale`, else logarithmic where the lower bound is positive and linear elsewhere. An
    estimated parameter without a nominal value starts in the middle of its bounds, on its scale.

    Args:
        rows: of the parameter table.
        version: of PEtab.
        names: PEtab id → id in the model, where they differ.
    """
    distinct(rows, "parameterId")
    found = (_parameter(row, version, names) for row in rows)
    return tuple(p for p in found if p is not None)


def _parameter(row: Row, version: int, names: Mapping[str, str]) -> ProblemParameter | None:
    before = len(row.faults.found)
    id = row.identifier("parameterId")
    is_estimated = _YES.get(row.required("estimate").lower())
    if is_estimated is None:
        row.fault("estimate", f"{row.text('estimate')!r} is neither yes (1, true) nor no")
    lower = row.number_in("lowerBound", None if is_estimated else -math.inf)
    upper = row.number_in("upperBound", None if is_estimated else math.inf)
    scale = _scale(row, version, lower)
    nominal = row.number_in("nominalValue", None if not is_estimated else math.nan)
    if is_estimated and not row.text("nominalValue"):
        nominal = _middle(scale, lower, upper)
        if not math.isfinite(nominal):
            row.fault("nominalValue", "it is empty, and the bounds have no middle; give a value")
    prior, start_prior = _priors(row, version, scale)
    if len(row.faults.found) > before:
        return None
    assert is_estimated is not None
    return ProblemParameter(
        id=names.get(id, id),
        nominal=nominal,
        lower=lower,
        upper=upper,
        scale=scale,
        is_estimated=is_estimated,
        prior=prior,
        start_prior=start_prior,
        name=row.text("parameterName"),
        unit=row.text("parameterUnit"),
    )


def _scale(row: Row, version: int, lower: float) -> str:
    if version == 1 or row.text("parameterScale"):
        return row.choice("parameterScale", SCALES, "lin")
    return "log" if lower > 0.0 else "lin"


def _middle(scale: str, lower: float, upper: float) -> float:
    if scale == "lin":
        return 0.5 * (lower + upper)
    return math.sqrt(lower) * math.sqrt(upper) if 0.0 < lower < upper else math.nan


def _priors(row: Row, version: int, scale: str) -> tuple[Prior | None, Prior | None]:
    """Return the prior and what starting points are drawn from."""
    start = prior_in(row, VERSION_1, f"{START}Type", f"{START}Parameters")
    as_version_1 = prior_in(row, VERSION_1, f"{OBJECTIVE}Type", f"{OBJECTIVE}Parameters")
    if version == 1:
        return as_version_1, start
    if start is None:
        start = prior_in(row, VERSION_2, "startPriorDistribution", "startPriorParameters")
    prior = prior_in(row, VERSION_2, "priorDistribution", "priorParameters")
    if as_version_1 is None:
        return prior, start
    # Our own files say it in both words, because PEtab 2 has none for a prior on a scale.
    if prior is None or not is_same(of_value(as_version_1, scale), prior):
        row.fault("priorDistribution", f"it contradicts {OBJECTIVE}Type; leave one of them out")
    return as_version_1, start
