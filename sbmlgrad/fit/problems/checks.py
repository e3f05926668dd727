"""What is wrong with a calibration problem before anything is simulated: units, noise, priors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from sbmlgrad.errors import (
    DataError,
    FitError,
    GradientError,
    SimulationError,
    UnsupportedModelError,
)
from sbmlgrad.fit.problems.column_units import unit_faults
from sbmlgrad.fit.problems.reach import check_reach
from sbmlgrad.io.tables.times import seconds_of
from sbmlgrad.model.expression import Number, Symbol, symbols
from sbmlgrad.model.labels import first_of
from sbmlgrad.model.priors import PRIORS, Prior
from sbmlgrad.model.problem import Experiment, Problem

#: Times beyond it are errors in whatever unit they are.
LATEST = 1e100

#: Times so much later than the one before are likely an error.
FAR = 1e6


def check_problem(problem: Problem) -> None:
    """Refuse what no fit of a problem, of whatever kind, can make sense of.

    Args:
        problem: what is to be calibrated.

    Raises:
        SbmlGradError: nothing to fit, units that differ, times, noise or priors that cannot be, or
            parameters that cannot act on what was observed.
    """
    if not problem.free:
        raise FitError(f"problem '{problem.name or problem.network.id}' has no parameter to fit")
    check_units(problem)
    check_times(problem)
    check_noise(problem)
    check_priors(problem)
    check_reach(problem)


def check_units(problem: Problem) -> None:
    """Refuse data in other units than the model's, where both say what they are in.

    Values are never converted in fitting, so that such a fit would find rates that are wrong by
    the factor between the units. Use it before a fit of a file that people have written.

    Args:
        problem: what is to be calibrated.

    Raises:
        DataError: times in another unit than the model's, or in none that is known, or amounts
            and concentrations in another unit than that of their species.
    """
    m, snapshots = problem.measurements, problem.snapshots
    name = m.source_name or (snapshots.source_name if snapshots is not None else "") or "data"
    told = m.time_unit or ("" if snapshots is None else snapshots.time_unit)
    model = problem.network.time_unit
    own, seconds = seconds_of(told), seconds_of(model)
    if told and told != model and own is None and seconds is not None:
        raise DataError(
            f"{name}: times are in {told!r}, which is no unit of time that is known here, and "
            f"model '{problem.network.id}' has its time in {model}; write ms, s, min, h, day or "
            "week in the header"
        )
    if own is not None and seconds is not None and own != seconds:
        raise DataError(
            f"{name}: times are in {told}, and model '{problem.network.id}' has its time in "
            f"{model}, so that rates would be wrong by a factor of "
            f"{max(own, seconds) / min(own, seconds):g}; read the "
            f"file with time_unit='{model}', which converts them"
        )
    faults = list(unit_faults(problem))
    if faults:
        raise DataError(
            f"{name}: units that do not fit the model:" + "".join(f"\n  - {f}" for f in faults)
        )


def check_times(problem: Problem) -> None:
    """Refuse times that no simulation reaches, before one tries to.

    Raises:
        DataError: names the file and the latest time.
    """
    for seen in (problem.measurements, problem.snapshots):
        if seen is None or not len(seen):
            continue
        latest = float(seen.time.max())
        if latest <= LATEST:
            continue
        raise DataError(
            f"{seen.source_name or 'data'}: the latest measurement is at time {latest:g}, which no "
            f"simulation reaches (times up to {LATEST:g} are taken); correct it"
        )


def check_noise(problem: Problem) -> None:
    """Refuse noise whose scale is impossible with the values that a fit would start from.

    A standard deviation (or other scale) must be above 0. A number of trials that is not fitted
    must be whole, and no measurement may exceed it.

    Raises:
        FitError: names each observable and the parameter that is its scale.
    """
    given = {p.id: p.nominal for p in problem.parameters}
    fitted = {p.id for p in problem.free}
    faults, counts = [], []
    for observable in problem.observables:
        scale = observable.noise.scale
        if not observable.noise.kind.scale:
            continue
        if isinstance(scale, Symbol) and scale.id in given:
            value, told = given[scale.id], f"'{scale.id}', which is {given[scale.id]:g}"
        elif isinstance(scale, Number):
            value, told = scale.value, f"{scale.value:g}"
        else:
            continue
        if not value > 0.0:
            faults.append(f"observable '{observable.id}': its noise is {told}")
        elif observable.noise.distribution == "binomial" and not symbols(scale) & fitted:
            counts += _trial_faults(problem, observable.id, value, told)
    name = problem.name or problem.network.id
    if faults:
        raise FitError(
            f"{name}: {_listed(faults)}; a standard deviation (or other scale of noise) must be "
            "above 0"
        )
    if counts:
        raise FitError(f"{name}: {_listed(counts)}")


def _trial_faults(problem: Problem, id: str, trials: float, told: str) -> Iterator[str]:
    """Yield what a number of trials contradicts: whole numbers, and larger counts."""
    if trials != np.rint(trials):
        yield f"observable '{id}': its number of trials is {told}; give a whole number"
    m = problem.measurements
    above = [
        f"{value:g} at time {time:g}"
        for value, time, place in zip(m.value, m.time, m.observable_index, strict=True)
        if m.observables[place] == id and value > trials
    ]
    if above:
        yield (
            f"observable '{id}': measurements above its number of trials, {told}: "
            f"{first_of(above, 3)}; correct the number, or the measurements"
        )


def _listed(faults: list[str]) -> str:
    """Return one fault as it is, several as a list."""
    return faults[0] if len(faults) == 1 else "".join(f"\n  - {fault}" for fault in faults)


def check_priors(problem: Problem) -> None:
    """Refuse priors that are no distributions, such as one of negative standard deviation.

    Raises:
        FitError: names each parameter and what its prior was given.
    """
    faults = [
        f"parameter '{p.id}': {fault}"
        for p in problem.parameters
        if p.prior is not None and (fault := _prior_fault(p.prior))
    ]
    if faults:
        raise FitError(
            f"{problem.name or problem.network.id}: unusable priors:"
            + "".join(f"\n  - {fault}" for fault in faults)
        )


def _prior_fault(prior: Prior) -> str:
    names, values = PRIORS[prior.distribution], prior.arguments
    told = ", ".join(f"{n} {v:g}" for n, v in zip(names, values, strict=True))
    what = f"its prior '{prior.distribution}' has {told}; "
    if not np.isfinite(values).all():
        return what + "numbers must be finite"
    if names[-1] == "upper bound":
        low, high = values
        if not low < high:
            return what + "the lower bound must lie below the upper one"
        if prior.distribution == "log-uniform" and not low > 0.0:
            return what + "the bounds of a logarithm must be above 0"
        return ""
    # Shapes, scales, degrees of freedom and standard deviations; locations may be anything.
    wrong = [
        name
        for name, value in zip(names, values, strict=True)
        if not value > 0.0 and not name.startswith(("mean", "location"))
    ]
    return what + f"{' and '.join(wrong)} must be above 0" if wrong else ""


def check_start(problem: Problem) -> None:
    """Refuse what keeps an exact simulation from starting, with the values that a fit starts from.

    Raises:
        UnsupportedModelError: a value is missing, or an initial count cannot be used; names the
            condition that sets it, and its place.
        FitError: experiments that cannot be simulated as they are.
    """
    from sbmlgrad.codegen.lowering import lower
    from sbmlgrad.engines.start import start_states
    from sbmlgrad.fit.experiments import prepared
    from sbmlgrad.fit.search_space import search_space

    network, space = problem.network, search_space(problem)
    for experiment in prepared(problem):
        values = experiment.parameters(space.start)
        explicit = dict(zip(network.parameter_ids, np.asarray(values).tolist(), strict=True))
        numbers = np.zeros(1, dtype=np.uint64)
        try:
            start_states(lower(network), explicit, experiment.initial, 0, numbers)
        except UnsupportedModelError as error:
            raise _under(problem.experiment[experiment.id], error) from error


def _under(experiment: Experiment, error: UnsupportedModelError) -> UnsupportedModelError:
    """Return an error at the start of an experiment that names it, if it sets anything."""
    values = experiment.periods[0].values
    if not values:
        return error
    told = ", ".join(
        f"{id} = {formula.value:g}" if isinstance(formula, Number) else id
        for id, formula in values.items()
    )
    where = f"{experiment.where}: " if experiment.where else ""
    return UnsupportedModelError(
        # The document is not where the value of these comes from.
        [replace(i, line=None) if i.element in values else i for i in error.issues],
        what=f"{where}under condition '{experiment.id}', which sets {told}, the model cannot be "
        "simulated stochastically:",
    )


@contextmanager
def doubting_times(problem: Problem) -> Iterator[None]:
    """Let errors of a fit say where the last measurement lies implausibly far out.

    Args:
        problem: what is calibrated.
    """
    try:
        yield
    except (FitError, GradientError, SimulationError) as error:
        times = np.unique(problem.measurements.time)
        if len(times) > 1 and 0.0 < FAR * times[-2] < times[-1]:
            # In place, since some errors carry more than their text.
            error.args = (
                f"{error}; the last measurement is at time {times[-1]:g}, more than {FAR:g} times "
                f"later than the one before, at {times[-2]:g}: correct it if that is not meant",
            )
        raise
