"""Settings of a fit: what they are, which make no sense, and how they are recorded."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sbmlgrad.engines.base import DeterministicEngine, Engine
from sbmlgrad.errors import RequestError
from sbmlgrad.fit.descent.optimizers import make_optimizer
from sbmlgrad.fit.descent.plan import FitProgress
from sbmlgrad.fit.descent.schedules import Schedule
from sbmlgrad.fit.objectives.base import Objective
from sbmlgrad.fit.parallel import Executor
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.model.numbers import as_number, whole

#: How much the ensemble of an epoch may grow, where its noise is what is left.
GROWTH = 16


@dataclass(frozen=True, eq=False)
class Settings:
    """How a problem is solved; `run.fit` says what each means."""

    objective: Objective | None = None
    starts: int = 1
    warm_start: bool = False
    optimizer: Any = "adam"
    learning_rate: float | tuple[float, float] | Schedule | None = None
    temperature: float | tuple[float, float] | Schedule | None = None
    epochs: int | None = None
    trajectories: int = 256
    most_trajectories: int | None = None
    evaluation_trajectories: int | None = None
    common_random_numbers: bool = False
    max_seconds: float | None = None
    estimator: Estimator | None = None
    engine: Engine | DeterministicEngine | None = None
    seed: int | None = None
    checkpoint: str | Path | None = None
    resume: bool = False
    refine: bool = True
    progress: FitProgress | None = None
    executor: Executor | None = None

    @property
    def most(self) -> int:
        """Trajectories to which those of an epoch may grow."""
        given = self.most_trajectories
        return GROWTH * self.trajectories if given is None else given


def check_settings(settings: Settings) -> None:
    """Refuse settings that make no sense, before any work is done.

    Raises:
        RequestError: says which, and what to give instead.
    """
    whole("trajectories", settings.trajectories, 2, 10**9)
    whole("starts", settings.starts, 1, 10**6)
    whole("most_trajectories", settings.most, settings.trajectories, 10**9)
    if settings.epochs is not None:
        whole("epochs", settings.epochs, 1, 10**9)
    if settings.evaluation_trajectories is not None:
        whole("evaluation_trajectories", settings.evaluation_trajectories, 2, 10**9)
    if settings.resume and settings.checkpoint is None:
        raise RequestError("resume=True: name the file to go on from with checkpoint=")
    if settings.max_seconds is not None and not as_number("max_seconds", settings.max_seconds) > 0:
        raise RequestError(f"max_seconds={settings.max_seconds!r}: must be above 0")
    make_optimizer(settings.optimizer)
    kinds = (("objective", Objective), ("estimator", Estimator), ("executor", Executor))
    for name, kind in kinds:
        given = getattr(settings, name)
        if given is not None and (isinstance(given, type) or not isinstance(given, kind)):
            raise RequestError(f"{name}={given!r}: pass an {name} object")
    if settings.executor is not None and settings.starts == 1:
        raise RequestError(
            f"executor={settings.executor.name}: spreads the starts of a fit, and there is one; "
            "ask for more with starts=, or leave it out, since a descent uses all cores by itself"
        )


def arguments_of(settings: Settings, seed: int) -> dict[str, str]:
    """Return the settings that repeat a fit, name → Python text; those by default left out."""
    found = {"seed": repr(seed)}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if value == field.default or field.name in ("seed", "progress", "checkpoint", "resume"):
            continue
        if field.name in ("objective", "estimator", "engine", "executor"):
            found[field.name] = value.name
        else:
            found[field.name] = repr(value.item() if isinstance(value, np.generic) else value)
    return found
