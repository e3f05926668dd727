"""Checkpoints of a descent: one file, replaced as a whole, that a later run goes on from."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sbmlgrad.errors import FitError
from sbmlgrad.fit.descent.optimizers import optimizer_name
from sbmlgrad.fit.descent.plan import Epoch, Plan, State
from sbmlgrad.fit.descent.schedules import Schedule
from sbmlgrad.fit.fingerprints import of_data, of_network
from sbmlgrad.fit.objectives.base import HoldsData
from sbmlgrad.io.files import write_atomically

#: Wall-clock seconds between two checkpoints at least, and how many times what writing one takes.
INTERVAL_S, SHARE = 1.0, 50.0

#: Plain fields of a state.
_FIELDS = (
    "trajectories",
    "next_trajectory",
    "stage",
    "stage_start",
    "turn",
    "turn_start",
    "is_judged",
    "is_due",
    "words",
    "reason",
    "spent",
)


def fingerprint(plan: Plan) -> str:
    """Return a hash of what a descent must have in common with one that it continues."""
    simulator = plan.simulator
    problem, space = simulator.problem, simulator.space
    told = [
        of_network(problem.network),
        repr((problem.observables, problem.experiments, problem.parameters)),
        of_data(problem),
        space.ids,
        *(part.tolist() for part in (space.start, space.lower, space.upper)),
        plan.objective.name,
        [estimator.name for estimator in plan.estimators],
        optimizer_name(plan.optimizer),
        "" if isinstance(plan.optimizer, str) else repr(plan.optimizer.get_config()),
        _schedule(plan, plan.learning_rate),
        _schedule(plan, plan.temperature),
        plan.starts,
        plan.epochs,
        plan.trajectories,
        plan.most_trajectories,
        plan.is_common,
        simulator.seed,
    ]
    if isinstance(plan.objective, HoldsData):
        told.append(plan.objective.digest)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _schedule(plan: Plan, schedule: Schedule | None) -> list[float]:
    """Return a schedule by what it gives at some epochs."""
    epochs = plan.epochs or plan.most_epochs
    places = np.unique(np.linspace(0, epochs - 1, 7).astype(int)).tolist()
    return [] if schedule is None else [float(schedule(i, epochs)) for i in places]


def saver(plan: Plan, path: Path) -> Callable[[State], None]:
    """Return a function that keeps a state, at most every second and when it has ended.

    States of long descents take longer to write, and are kept less often, so that a descent is
    not slowed by more than some per cent.
    """
    due = [0.0]

    def save(state: State) -> None:
        begun = time.monotonic()
        if state.reason or begun > due[0]:
            write_checkpoint(plan, state, path)
            ended = time.monotonic()
            due[0] = ended + max(INTERVAL_S, SHARE * (ended - begun))

    return save


def write_checkpoint(plan: Plan, state: State, path: Path) -> None:
    """Write a state; an earlier file is replaced as a whole."""
    arrays: dict[str, Any] = {"coordinates": state.coordinates, "sets": state.sets}
    arrays |= {f"memory{i}": m for i, m in enumerate(state.memory)}
    for i, epoch in enumerate(state.epochs):
        arrays[f"sets{i}"], arrays[f"values{i}"] = epoch.sets, epoch.values
        arrays[f"losses{i}"], arrays[f"errors{i}"] = epoch.losses, epoch.errors
    told = {name: getattr(state, name) for name in _FIELDS} | {
        "fingerprint": fingerprint(plan),
        "seed": plan.simulator.seed,
        "epochs": [epoch.trajectories for epoch in state.epochs],
        "memory": len(state.memory),
        "failed": {str(k): v for k, v in state.failed.items()},
    }
    if state.is_cut:
        told["reason"] = ""
    arrays["told"] = np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(path, buffer.getvalue())


def read_checkpoint(plan: Plan, path: Path) -> State:
    """Read a state that an equal plan can go on from.

    Raises:
        FitError: the file cannot be read, or belongs to another fit.
    """
    told, arrays = _read(path)
    if told["fingerprint"] != fingerprint(plan):
        raise FitError(
            f"{path.name}: was left by a fit of another model, other data or other settings; go on "
            "with the same arguments and seed, or leave out resume to start anew"
        )
    try:
        return _state(told, arrays)
    except KeyError as error:
        raise FitError(
            f"{path.name}: lacks {error}, so that a fit cannot go on from it; it is damaged, or of "
            "another version of sbmlgrad; leave out resume to start anew"
        ) from error


def _state(told: dict[str, Any], arrays: dict[str, Any]) -> State:
    return State(
        coordinates=arrays["coordinates"],
        sets=arrays["sets"],
        memory=[arrays[f"memory{i}"] for i in range(told["memory"])],
        epochs=[
            Epoch(
                arrays[f"sets{i}"],
                arrays[f"values{i}"],
                arrays[f"losses{i}"],
                arrays[f"errors{i}"],
                trajectories,
            )
            for i, trajectories in enumerate(told["epochs"])
        ],
        failed={int(k): v for k, v in told["failed"].items()},
        **{name: told[name] for name in _FIELDS},
    )


def seed_in(path: Path) -> int:
    """Return the seed of the fit that left a checkpoint.

    Raises:
        FitError: the file cannot be read.
    """
    return _read(path)[0]["seed"]


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is told, a fingerprint and a seed at least, and the arrays of a checkpoint."""
    try:
        # From memory: NumPy leaves a damaged file open.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            told = json.loads(kept["told"].tobytes())
            arrays = {name: kept[name] for name in kept.files}
    except Exception as error:  # NumPy, zip and JSON raise all kinds for files of others
        raise _unreadable(path, str(error)) from error
    if not isinstance(told, dict):
        raise _unreadable(path, f"it tells a {type(told).__name__}, not named values")
    for name, kind in (("fingerprint", str), ("seed", int)):
        if type(told.get(name)) is not kind:
            raise _unreadable(path, f"it tells no {name}")
    return told, arrays


def _unreadable(path: Path, why: str) -> FitError:
    return FitError(
        f"{path.name}: cannot be read as a checkpoint ({why}); leave out resume to start anew"
    )
