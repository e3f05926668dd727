"""A calibration problem: a network, what is measured of it, under what conditions, what is free.

It says nothing about files (`io` reads and writes them) or methods (`fit` solves it). The words are
those of PEtab.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from sbmlgrad.errors import FitError
from sbmlgrad.model.elements import Compartment, Parameter, Species
from sbmlgrad.model.expression import TIME, Expression, Symbol, symbols
from sbmlgrad.model.labels import suggestion
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.snapshots import Snapshots

#: Scales on which a parameter is searched.
SCALES = ("lin", "log", "log10")


@dataclass(frozen=True, slots=True)
class Observable:
    """Something measured, as a formula of the model's symbols.

    Attributes:
        id: what measurements call it.
        formula: prediction, of SBML ids (in what they mean in the model), problem parameters and
            `expression.TIME`.
        noise: how measurements scatter around it; its scale may use the same symbols.
        name: for plots and tables.
        unit: likewise.
        base: id of the observable that this is a variant of, where measurements of one observable
            differ in scaling or noise parameters; its own id otherwise.
        is_scaled: whether a scale was written down with it, be it 1, which the formula does not
            show.
    """

    id: str
    formula: Expression
    noise: Noise = field(default_factory=Noise)
    name: str = ""
    unit: str = ""
    base: str = ""
    is_scaled: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class ProblemParameter:
    """A parameter of the problem: of the model, of an observable, of noise or of a condition.

    Attributes:
        id: a parameter id of the model means that parameter, in every experiment that does not set
            it; other ids are new symbols for formulas.
        nominal: value where it is not estimated, and start where it is.
        lower, upper: bounds of the value itself; positive on a logarithmic scale.
        scale: one of `SCALES`.
        is_estimated: whether it is fitted.
        prior: what is believed before the data; None within bounds means nothing.
        start_prior: where multi-start draws from; None means the prior, else the bounds.
        name: for plots and tables.
        unit: likewise.
    """

    id: str
    nominal: float
    lower: float = -math.inf
    upper: float = math.inf
    scale: str = "log"
    is_estimated: bool = True
    prior: Prior | None = None
    start_prior: Prior | None = None
    name: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of an experiment under constant conditions.

    Attributes:
        start: model time at which it begins; -inf for one that runs to a steady state before.
        values: SBML id of a parameter, compartment or species → value that it is set to, a formula
            of problem parameters and numbers.
    """

    start: float = 0.0
    values: Mapping[str, Expression] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Experiment:
    """What was done to the system before and while it was measured.

    Attributes:
        id: what measurements call it, in `Measurements.condition`.
        periods: in order of time.
        name: for plots and tables.
        where: its place in the files that it was read from, for messages.
    """

    id: str
    periods: tuple[Period, ...] = (Period(),)
    name: str = ""
    where: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class Problem:
    """A calibration problem; frozen, checked as a whole when made.

    Attributes:
        network: the model.
        observables: what is measured; `measurements.observables` are ids of them.
        measurements: what was seen.
        parameters: free and fixed parameters of the problem.
        experiments: one for each condition of the measurements.
        name: for reports.
        settings: how to solve it, where its files say so: name → value.
        snapshots: counts in single cells, where those were seen; `snapshots.species` are ids of
            observables whose formulas give whole numbers of molecules, and their noise models do
            not matter.

    Raises:
        FitError: ids that are unknown or used twice, bounds or scales that contradict each other;
            lists every problem.
    """

    network: ReactionNetwork
    observables: tuple[Observable, ...]
    measurements: Measurements
    parameters: tuple[ProblemParameter, ...]
    experiments: tuple[Experiment, ...] = (Experiment(""),)
    name: str = ""
    settings: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    snapshots: Snapshots | None = None

    def __post_init__(self) -> None:
        problems = [*_double_ids(self), *_unknown(self), *_in_parameters(self.parameters)]
        if problems:
            listed = "".join(f"\n  - {problem}" for problem in problems)
            raise FitError(f"{self.name or self.network.id}: unusable calibration problem:{listed}")

    @cached_property
    def free(self) -> tuple[ProblemParameter, ...]:
        """The parameters that are fitted, in order."""
        return tuple(p for p in self.parameters if p.is_estimated)

    @cached_property
    def observable(self) -> Mapping[str, Observable]:
        """Observable id → observable."""
        return MappingProxyType({o.id: o for o in self.observables})

    @cached_property
    def experiment(self) -> Mapping[str, Experiment]:
        """Experiment id → experiment."""
        return MappingProxyType({e.id: e for e in self.experiments})


def _double_ids(problem: Problem) -> list[str]:
    found = []
    for what, ids in (
        ("observable", (o.id for o in problem.observables)),
        ("parameter", (p.id for p in problem.parameters)),
        ("experiment", (e.id for e in problem.experiments)),
    ):
        found += [f"{what} {id!r} is there {n} times" for id, n in Counter(ids).items() if n > 1]
    return found


def _unknown(problem: Problem) -> Iterable[str]:
    network = problem.network
    own = {p.id for p in problem.parameters}
    known = own | network.by_id.keys() | {TIME.id}
    seen = problem.snapshots
    for what, observables, conditions in (
        ("measurements", problem.measurements.observables, problem.measurements.condition),
        *(() if seen is None else (("snapshots", seen.species, seen.condition),)),
    ):
        for missing in sorted(set(observables) - problem.observable.keys()):
            yield (
                f"{what} of {missing!r}, which is no observable"
                f"{suggestion(missing, problem.observable)}"
            )
        for missing in sorted(set(conditions) - problem.experiment.keys()):
            yield (
                f"{what} under condition {missing!r}, which is no experiment"
                f"{suggestion(missing, problem.experiment)}"
            )
    for observable in problem.observables:
        for what, formula in (("formula", observable.formula), ("noise", observable.noise.scale)):
            for symbol in sorted(symbols(formula) - known):
                yield (
                    f"the {what} of observable {observable.id!r} uses {symbol!r}, which is neither "
                    f"in model '{network.id}' nor a parameter of the problem"
                    f"{suggestion(symbol, known)}"
                )
    for experiment in problem.experiments:
        for period in experiment.periods:
            for target, formula in period.values.items():
                reason = why_not_set(network, target)
                if reason:
                    yield f"experiment {experiment.id!r} sets {target!r}, {reason}"
                for symbol in sorted(symbols(formula) - own):
                    yield (
                        f"experiment {experiment.id!r} sets {target!r} by {symbol!r}, which is no "
                        f"parameter of the problem{suggestion(symbol, own)}"
                    )
    for parameter in problem.parameters:
        is_of_model = parameter.id in network.by_id
        if is_of_model and parameter.id not in network.parameter_ids:
            yield (
                f"parameter {parameter.id!r} is no parameter in model '{network.id}'; give it "
                "another id, and set the symbol by it in an experiment"
            )


def _in_parameters(parameters: Iterable[ProblemParameter]) -> Iterable[str]:
    for p in parameters:
        if p.scale not in SCALES:
            yield f"parameter {p.id!r} has scale {p.scale!r}; choose one of {', '.join(SCALES)}"
            continue
        if not math.isfinite(p.nominal):
            yield f"parameter {p.id!r} has the value {p.nominal}; give a finite number"
        if not p.is_estimated:
            continue
        is_logarithmic = p.scale != "lin"
        if not p.lower < p.upper or (is_logarithmic and not p.lower > 0.0):
            yield (
                f"parameter {p.id!r} has bounds ({p.lower}, {p.upper}) on scale {p.scale}; they "
                f"must satisfy {'0 < ' if is_logarithmic else ''}lower < upper"
            )
        elif not p.lower <= p.nominal <= p.upper:
            yield (
                f"parameter {p.id!r} starts at {p.nominal}, outside its bounds "
                f"({p.lower}, {p.upper})"
            )


def why_not_set(network: ReactionNetwork, target: str) -> str:
    """Say why no condition can set a symbol of a model; empty if one can.

    Use it where conditions are read, so that the message can name the place.

    Args:
        network: the model.
        target: what would be set.

    Returns:
        A clause that follows the name of the symbol.
    """
    element = network.by_id.get(target)
    if element is None:
        return f"which model '{network.id}' has not{suggestion(target, network.by_id)}"
    if target in network.assignment_rules:
        return "which an assignment rule gives at all times"
    if not isinstance(element, Parameter | Species | Compartment):
        return "which is no parameter, species or compartment"
    return ""


def species_observables(network: ReactionNetwork, ids: Iterable[str]) -> tuple[Observable, ...]:
    """Return observables that are symbols of the model themselves."""
    named = {id: network.by_id[id] for id in ids}
    return tuple(
        Observable(id, Symbol(id), name=getattr(element, "name", ""), base=id)
        for id, element in named.items()
    )
