"""Which parameters of a problem can act on what was observed: a question of structure alone.

The answer errs on one side: a parameter that is said not to act has no way at all to do so, however
large it is. Everything that moves the state counts as one, so that a parameter of any kinetic law
acts as soon as an observable depends on the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sbmlgrad.errors import FitError
from sbmlgrad.model.elements import Species
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Experiment, Observable, Problem, ProblemParameter


def check_reach(problem: Problem) -> None:
    """Refuse free parameters that nothing observed depends on, and observables of nothing.

    A fit would give such a parameter back as it started, as if it had been found.

    Args:
        problem: what is to be calibrated. Without measurements and snapshots its objective knows
            what was observed: every symbol of the model counts, and those that the model has not
            are its own affair.

    Raises:
        FitError: names every such parameter, or the observables where none of them acts.
    """
    observables, experiments = _observed(problem)
    seen = reached(problem.network, observables)
    idle = [
        p
        for p in problem.free
        if (observables or p.id in seen) and not _acts(problem.network, p, experiments, seen)
    ]
    if not idle:
        return
    name = problem.name or problem.network.id
    if observables and len(idle) == len(problem.free) and not _is_moved(problem.network, seen):
        listed = ", ".join(f"'{o.id}'" for o in observables)
        free = ", ".join(f"'{p.id}'" for p in problem.free)
        raise FitError(
            f"{name}: no observable depends on what is simulated or on a free parameter, so that "
            f"no values fit better than others; observables: {listed}; free parameters: {free}; "
            "correct the formulas of the observables (scale and offset included)"
        )
    faults = "".join(f"\n  - '{p.id}': {_why_idle(p, experiments, seen)}" for p in idle)
    raise FitError(f"{name}: free parameters that cannot act on anything measured:{faults}")


def reached(network: ReactionNetwork, observables: Iterable[Observable]) -> frozenset[str]:
    """Return the symbols that observables depend on, through the model too.

    Args:
        network: the model.
        observables: their formulas and noise count; none at all means that everything counts.

    Returns:
        Their ids; without observables, all of the model's.
    """
    if not (observables := tuple(observables)):
        return frozenset(network.by_id)
    formulas = [formula for o in observables for formula in (o.formula, o.noise.scale)]
    seen = _closed(network, *map(symbols, formulas))
    if not _is_moved(network, seen):
        return seen
    return seen | _closed(network, *_moving(network))


def _observed(problem: Problem) -> tuple[tuple[Observable, ...], tuple[Experiment, ...]]:
    """Return the observables and experiments of which something was measured."""
    cells = problem.snapshots
    ids, conditions = set(problem.measurements.observables), set(problem.measurements.condition)
    if cells is not None:
        ids, conditions = ids | set(cells.species), conditions | set(cells.condition)
    if not conditions:
        return (), problem.experiments
    observables = tuple(o for o in problem.observables if o.id in ids)
    return observables, tuple(e for e in problem.experiments if e.id in conditions)


def _closed(network: ReactionNetwork, *ids: Iterable[str]) -> frozenset[str]:
    """Return symbols with those that rules and values at the start bring in."""
    found: set[str] = set()
    waiting = [id for some in ids for id in some]
    while waiting:
        id = waiting.pop()
        if id in found:
            continue
        found.add(id)
        for formulas in (network.assignment_rules, network.initial_assignments):
            if id in formulas:
                waiting += symbols(formulas[id])
        element = network.by_id.get(id)
        if isinstance(element, Species):
            waiting += filter(None, (element.compartment, element.conversion_factor))
    return frozenset(found)


def _is_moved(network: ReactionNetwork, seen: frozenset[str]) -> bool:
    """Tell whether something among symbols changes while a model is simulated."""
    reactions = {reaction.id for reaction in network.reactions}
    return not seen.isdisjoint(
        {*network.state_species, *network.variable_ids, *reactions, *network.set_by_events}
    )


def _moving(network: ReactionNetwork) -> Iterator[Iterable[str]]:
    """Yield the symbols of all that moves the state, or says where it starts."""
    yield (species.id for species in network.species)
    yield (compartment.id for compartment in network.compartments)
    yield network.variable_ids
    for reaction in network.reactions:
        yield symbols(reaction.rate_law)
        yield from (symbols(entry.number) for entry in reaction.formulas)
    yield from map(symbols, network.rate_rules.values())
    for event in network.events:
        formulas = (event.trigger, event.delay, event.priority, *event.assignments.values())
        yield from (symbols(formula) for formula in formulas if formula is not None)


def _acts(
    network: ReactionNetwork,
    parameter: ProblemParameter,
    experiments: Iterable[Experiment],
    seen: frozenset[str],
) -> bool:
    """Tell whether a parameter reaches what is seen in any experiment."""
    for experiment in experiments:
        if parameter.id in seen and not _is_set(experiment, parameter.id):
            return True
        for period in experiment.periods:
            for target, formula in period.values.items():
                if parameter.id in symbols(formula) and target in seen:
                    return True
    return False


def _is_set(experiment: Experiment, id: str) -> bool:
    """Tell whether an experiment sets a symbol from its very start."""
    return id in experiment.periods[0].values


def _why_idle(
    parameter: ProblemParameter, experiments: Iterable[Experiment], seen: frozenset[str]
) -> str:
    if parameter.id in seen:
        ids = ", ".join(f"'{e.id}'" for e in experiments)
        return (
            f"every condition with measurements sets it ({ids}), so that its own value is never "
            "used; do not estimate it, or let a condition set it by a parameter that is estimated"
        )
    return (
        "nothing that was measured depends on it, be it by the formulas and noise of observables, "
        "by values that conditions set, or by the model behind them; do not estimate it, or "
        "correct its name"
    )
