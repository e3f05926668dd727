"""What is wrong with a calibration problem before anything is simulated: units, noise, priors."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from sbmlgrad.errors import DataError, FitError
from sbmlgrad.io.tables.times import seconds_of
from sbmlgrad.model.elements import Species
from sbmlgrad.model.expression import Number, Symbol
from sbmlgrad.model.priors import PRIORS, Prior
from sbmlgrad.model.problem import Problem

#: Units of substance by the mole, or of that per volume, as people write them in headers.
_MOLAR = re.compile(r"[afpnuµμm]?(M|mol|mole|moles|molar)([ */·]?(l|L|dm3|m3|ml|mL)(\^?-1)?)?")


def check_units(problem: Problem) -> None:
    """Refuse data in other units than the model's, where both say what they are in.

    Values are never converted in fitting, so that such a fit would find rates that are wrong by
    the factor between the units. Use it before a fit of a file that people have written.

    Args:
        problem: what is to be calibrated.

    Raises:
        DataError: times in another unit than the model's, or in none that is known, or molar values
            of a species that is counted in molecules.
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
    faults = list(_molar(problem))
    if faults:
        raise DataError(
            f"{name}: units that do not fit the model:" + "".join(f"\n  - {f}" for f in faults)
        )


def _molar(problem: Problem) -> Iterator[str]:
    """Yield columns in moles or molar units that are compared with a number of molecules."""
    ambiguous = {i.element for i in problem.network.issues if i.code == "units_ambiguous"}
    m = problem.measurements
    for id, unit in zip(m.observables, m.units, strict=True):
        observable = problem.observable.get(id)
        if observable is None or not _MOLAR.fullmatch(unit.strip()):
            continue
        formula = observable.formula
        element = problem.network.by_id.get(formula.id) if isinstance(formula, Symbol) else None
        if not isinstance(element, Species) or element.items_per_substance != 1.0:
            continue
        if ambiguous & {element.id, problem.network.id}:
            continue  # the model does not say that its unit is the molecule
        yield (
            f"column '{id}' is in {unit}, and species '{element.id}' of the model is counted in "
            "molecules; convert the column, say in a mapping file how it follows from the species "
            "(scale), or load the model with substance='mole' if that is what it means"
        )


def check_noise(problem: Problem) -> None:
    """Refuse noise whose scale is zero or below with the values that a fit would start from.

    Raises:
        FitError: names each observable and the parameter that is its scale.
    """
    given = {p.id: p.nominal for p in problem.parameters}
    faults = []
    for observable in problem.observables:
        scale = observable.noise.scale
        if not observable.noise.kind.scale:
            continue
        if isinstance(scale, Symbol) and scale.id in given and not given[scale.id] > 0.0:
            faults.append(
                f"observable '{observable.id}': its noise is '{scale.id}', which is "
                f"{given[scale.id]:g}"
            )
        if isinstance(scale, Number) and not scale.value > 0.0:
            faults.append(f"observable '{observable.id}': its noise is {scale.value:g}")
    if faults:
        raise FitError(
            f"{problem.name or problem.network.id}: {_listed(faults)}; a standard "
            "deviation (or other scale of noise) must be above 0"
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
        UnsupportedModelError: a value is missing, or an initial count cannot be used.
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
        start_states(lower(network), explicit, experiment.initial, 0, numbers)
