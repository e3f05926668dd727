"""What the report says in words: what was done, how well it went, what to look at first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from sbmlgrad.fit.choice import NOT_CHECKED
from sbmlgrad.fit.pictures import panels
from sbmlgrad.fit.pictures.diagnostic_panels import residuals_of
from sbmlgrad.fit.problems.plain import FROM_DATA, NOISE
from sbmlgrad.fit.report.kind import is_exact, objective_kind
from sbmlgrad.fit.report.tables import number
from sbmlgrad.fit.result import FitResult

#: Parameters at the most that the lead names with their values.
NAMED = 4

#: Standard errors beyond which a share is no longer chance.
_UNLIKELY = 3.0

#: Standardised residuals beyond this are pointed out, one in two million for a normal.
_FAR = 5.0

#: Exact objective → what it is, as part of a sentence.
_EXACT: Mapping[str, str] = MappingProxyType(
    {
        "StateSpaceLikelihood": "the exact likelihood of the counts, from the master equation",
        "DwellTimes": "the likelihood of the dwell times, in closed form",
    }
)


def lead(result: FitResult) -> list[str]:
    """Return the first paragraphs: what was fitted to what, the values, how well."""
    model = result.model
    name = model.name or model.id
    free = len(result.free.ids)
    first = (
        f"{_counted(free, 'parameter')} of the model ‘{name}’ "
        f"{'was' if free == 1 else 'were'} estimated from {data_words(result)}, by "
        f"{means_words(result)}."
    )
    if free <= NAMED:
        first += f" Found: {'; '.join(_value(result, id) for id in result.free.ids)}."
    second = (
        f"The loss went from {number(result.start_loss)} at the start to {number(result.loss)}"
        f"{_noise(result)} in {course_words(result)}; {ended(result)}."
    )
    return [first, *([second] if math.isfinite(result.start_loss) else []), *agreement(result)]


def means_words(result: FitResult) -> str:
    """Return by what the parameters were estimated, as part of a sentence."""
    if result.is_deterministic:
        return "the rate equations"
    if is_exact(result):
        return _EXACT.get(objective_kind(result), "an objective that needs no simulation")
    return "exact stochastic simulation"


def _noise(result: FitResult) -> str:
    if result.has_exact_loss:
        return ""
    error = number(result.loss_standard_error, 2)
    return f" (± {error} from simulating {result.evaluation_trajectories} trajectories)"


def course_words(result: FitResult) -> str:
    """Return how long the fit took: epochs, or steps where there is no ensemble."""
    return _counted(len(result.loss_history), "step" if result.is_deterministic else "epoch")


def size_words(result: FitResult) -> str:
    """Return how many trajectories an epoch had, to follow `course_words`; empty without any."""
    if result.has_exact_loss:
        return ""
    return f" of {result.words_for_trajectories} for each experiment and start"


def gradient_words(result: FitResult) -> str:
    """Return where the gradients are from, to follow the word "gradients"."""
    return "of the objective itself" if is_exact(result) else f"by {result.estimator}"


def ended(result: FitResult) -> str:
    """Return why the fit ended, as part of a sentence."""
    if result.is_deterministic:
        return f"the solver ended with ‘{result.reason}’"
    return f"it ended because {result.reason}"


def _value(result: FitResult, id: str) -> str:
    unit = f" [{result.units[id]}]" if result.units[id] else ""
    error = result.estimates[id].standard_error if id in result.estimates else None
    spread = "" if error is None else f" ± {number(error, 2)}"
    return f"{id} = {number(result.values[id])}{spread}{unit}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def data_words(result: FitResult) -> str:
    """Return how much was measured, of what and where it stood."""
    m, snapshots = result.problem.measurements, result.problem.snapshots
    parts = []
    if len(m):
        named = ", ".join(m.observables) if len(m.observables) <= NAMED else ""
        of = named or _counted(len(m.observables), "observable")
        parts.append(f"{_counted(len(m), 'measurement')} of {of}")
    if snapshots is not None:
        cells = f"{_counted(len(snapshots), 'cell')}, seen once each at "
        parts.append(cells + _counted(len(snapshots.times), "time"))
    experiments = len(result.problem.experiments)
    where = f" in {experiments} experiments" if experiments > 1 else ""
    if objective_kind(result) == "DwellTimes":
        # They belong to the objective, whose name says which record it is.
        return f"the dwell times of a record{where}"
    return f"{' and '.join(parts) or 'data'}{where} ({result.source_name})"


def within(result: FitResult) -> tuple[int, int]:
    """Return how many measurements lie where the given share of them is expected, of how many."""
    found = residuals_of(result)
    found = found[np.isfinite(found)]
    from scipy.stats import norm

    limit = norm.isf(0.5 * (1.0 - panels.LEVEL))
    return int((np.abs(found) <= limit).sum()), len(found)


def has_assumed_noise(result: FitResult) -> bool:
    """Tell whether the noise models are weights taken from the same measurements."""
    return result.problem.settings.get(NOISE) == FROM_DATA


def agreement(result: FitResult) -> list[str]:
    """Return how well the model explains the measurements, in one sentence, or nothing."""
    if result.predictions is None:
        return []
    inside, count = within(result)
    if not count:
        return []
    share = f"{100 * panels.LEVEL:g} %"
    said = (
        f"{inside} of {count} measurements ({100 * inside / count:.0f} %) lie where the fitted "
        f"model expects {share} of them."
    )
    if has_assumed_noise(result):
        said += (
            " The size of the noise was itself taken from how these measurements scatter around "
            "the model, so this does not test the model."
        )
    return [said]


def look_first(result: FitResult) -> list[str]:
    """Return what a reader must know before trusting the values; empty if there is nothing."""
    found = []
    if result.interrupted:
        found.append("The fit was interrupted; these are the best values so far.")
    if result.at_bounds:
        found.append(
            f"At a bound: {', '.join(result.at_bounds)}. The best value may lie outside; widen the "
            "bounds or hold the parameter."
        )
    if not result.loss < result.start_loss:
        found.append("The loss is no lower than at the start; the fit has found nothing better.")
    found += [f"{told[0].upper()}{told[1:]}." for told in result.assumptions if NOT_CHECKED in told]
    failed = result.failed_starts
    if failed:
        found.append(f"{len(failed)} of {len(result.starts)} starts failed: {failed[0].fate}")
    found += _doubts_about_residuals(result)
    if result.uncertainty is None:
        found.append("How far the data leave the values open was not computed.")
    else:
        found += list(result.uncertainty.flags)
        found += [
            f"{id}: {flag}"
            for id, flags in result.uncertainty.parameter_flags.items()
            for flag in flags
        ]
    return found


def _doubts_about_residuals(result: FitResult) -> list[str]:
    if result.predictions is None:
        return []
    found = []
    residuals = residuals_of(result)
    impossible = int((~np.isfinite(residuals)).sum())
    if impossible:
        found.append(
            f"{_counted(impossible, 'measurement')} cannot be judged, because the noise model does "
            "not allow for the prediction there, such as a logarithm of zero."
        )
    inside, count = within(result)
    if count and not has_assumed_noise(result):
        error = math.sqrt(panels.LEVEL * (1.0 - panels.LEVEL) / count)
        if inside / count < panels.LEVEL - _UNLIKELY * error:
            found.append(
                f"Only {inside} of {count} measurements lie where {100 * panels.LEVEL:g} % are "
                "expected: the model does not explain the data, or they are noisier than assumed."
            )
        far = int((np.abs(residuals[np.isfinite(residuals)]) > _FAR).sum())
        if far:
            found.append(
                f"{_counted(far, 'measurement')} more than {_FAR:g} standard deviations from the "
                "model; look for outliers."
            )
    return found
