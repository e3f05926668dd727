"""The record of how fitted values came about, as it is written into the calibrated model."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from sbmlgrad.fit.descent.optimizers import optimizer_name
from sbmlgrad.fit.descent.plan import Plan, State
from sbmlgrad.fit.descent.schedules import Schedule
from sbmlgrad.model.provenance import Provenance
from sbmlgrad.simulation import software_versions


def provenance_of(
    plan: Plan,
    state: State,
    fitted: Mapping[str, float],
    loss: float,
    error: float,
    estimator: str,
    assumptions: tuple[str, ...],
) -> Provenance:
    """Return the record that goes into the calibrated model.

    Args:
        plan: of the descent.
        state: its end.
        fitted: parameter id → value.
        loss: of the fitted values.
        error: its Monte-Carlo standard error.
        estimator: where the gradients came from, as written in code.
        assumptions: what was assumed, in words.
    """
    measurements = plan.simulator.problem.measurements
    return Provenance(
        fitted={
            i: v for i, v in fitted.items() if i in plan.simulator.problem.network.parameter_ids
        },
        data_name=measurements.source_name,
        data_sha256=measurements.sha256,
        seed=plan.simulator.seed,
        estimator=estimator,
        loss=loss,
        loss_standard_error=error,
        software=software_versions(),
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings=_settings(plan, state, assumptions),
    )


def _settings(plan: Plan, state: State, assumptions: tuple[str, ...]) -> dict[str, str]:
    """Return, as text, whatever else has to be known to repeat the fit."""
    space = plan.simulator.space
    limits = zip(space.ids, space.start, space.lower, space.upper, strict=True)
    rate = plan.learning_rate
    epochs = plan.epochs or plan.most_epochs
    return {
        "objective": plan.objective.name,
        "epochs": str(len(state.epochs)),
        "end": state.reason,
        "starts": str(len(state.epochs[0].sets)),
        "trajectories": f"{plan.trajectories} to {max(e.trajectories for e in state.epochs)}",
        "commonRandomNumbers": str(plan.is_common).lower(),
        "optimizer": optimizer_name(plan.optimizer),
        "learningRate": "adapted" if rate is None else _ends(rate, epochs),
        "temperature": "" if plan.temperature is None else _ends(plan.temperature, epochs),
        "engine": plan.simulator.engine.name,
        "observables": ", ".join(plan.simulator.problem.measurements.observables),
        "startAndBounds": "; ".join(
            f"{i}: {s:.17g} in [{low:.17g}, {up:.17g}]" for i, s, low, up in limits
        ),
        "assumptions": "; ".join(assumptions),
    }


def _ends(schedule: Schedule, epochs: int) -> str:
    return f"{schedule(0, epochs)!r} to {schedule(epochs - 1, epochs)!r}"
