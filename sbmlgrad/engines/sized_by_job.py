"""An engine for the parts of a job: its kernel suits the whole job."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from sbmlgrad.engines.base import Engine, Request, Sample
from sbmlgrad.engines.kernel_choice import AUTO
from sbmlgrad.engines.native import Native


class SizedByJob:
    """Samples as another engine, with the kernel that suits a job of so many trajectories.

    It is chosen once, at the first part, and every part records the reason.

    Args:
        engine: samples.
        trajectories: of the whole job.
    """

    is_deterministic: ClassVar[Literal[False]] = False

    def __init__(self, engine: Engine, trajectories: int) -> None:
        self._engine = engine
        self._trajectories = trajectories
        self._reason = ""
        self._is_chosen = False

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return self._engine.name

    def sample(self, request: Request) -> Sample:
        """Sample a part of the job."""
        if not self._is_chosen:
            self._choose(replace(request, trajectories=self._trajectories))
        sample = self._engine.sample(request)
        if sample.engine.endswith(self._reason):
            return sample
        return replace(sample, engine=sample.engine + self._reason)

    def _choose(self, job: Request) -> None:
        self._is_chosen = True
        engine = self._engine
        # A network with a clock has one kernel, which has no name to ask for.
        if isinstance(engine, Native) and engine.kernel == AUTO and not job.lowered.is_timed:
            kernel, self._reason = engine.choose_kernel(job)
            self._engine = replace(engine, kernel=kernel)
