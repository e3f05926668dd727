"""What `sbmlgrad simulate --dry-run` does: it checks everything, and says what would be done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn

from sbmlgrad.cli.simulate import Job, check, prepare, run_with

if TYPE_CHECKING:
    from sbmlgrad.engines.base import Request


class _Reached(Exception):
    """All checks are passed and sampling would begin."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request


@dataclass(frozen=True)
class _Probe:
    """An engine that samples nothing and hands out what it is asked for."""

    name: str = "probe"
    is_deterministic: ClassVar[Literal[False]] = False

    def sample(self, request: Request) -> NoReturn:
        raise _Reached(request)


def plan(job: Job, out: Path) -> dict[str, Any]:
    """Check everything that a simulation needs, and say what it would do.

    Args:
        job: what is to be simulated.
        out: the file that would be written.

    Returns:
        Numbers of output times, of firing channels and events or of equations, and of variables;
        bytes of memory needed and available; the engine, with its kernel and why it was chosen.

    Raises:
        SbmlGradError: whatever the simulation itself would refuse.
    """
    from sbmlgrad.engines.memory_estimate import available_bytes

    needed = check(job)
    said: dict[str, Any] = {
        "model": job.network.id,
        "out": str(out),
        "trajectories": job.count,
        "dry_run": True,
        "times": len(job.times),
    }
    memory = {"memory_needed": needed, "memory_available": available_bytes()}
    if job.is_deterministic:
        return {**said, **_equations(job), **memory, "engine": job.engine.name}
    request = _request(job)
    lowered = request.lowered
    return {
        **said,
        "channels": len(lowered.channels),
        "events": len(lowered.events),
        "state": len(lowered.state_ids),
        **memory,
        "engine": _engine_chosen(job, request),
    }


def _request(job: Job) -> Request:
    """Return what an engine would be asked for, after all checks on the way to it."""
    try:
        run_with(job, _Probe())
    except _Reached as reached:
        # A summary asks for one part at a time.
        return replace(reached.request, trajectories=job.trajectories)
    raise AssertionError("no engine was asked for anything")


def _equations(job: Job) -> dict[str, int]:
    from sbmlgrad.codegen.deterministic import lower_deterministic
    from sbmlgrad.engines.readouts import ValuesAt

    ValuesAt(job.times)
    system = lower_deterministic(job.network.with_parameters(job.parameters))
    return {"equations": len(system.moving), "state": len(system.state_ids)}


def _engine_chosen(job: Job, request: Request) -> str:
    """Return what results would record: the engine, its kernel, and why that was chosen."""
    from sbmlgrad.engines.native import Native
    from sbmlgrad.simulation_inputs import default_engine

    engine: Any = default_engine() if job.engine is None else job.engine
    if isinstance(engine, Native):
        return engine.recorded(engine.choose_kernel(request))
    prepare(engine)
    # One firing of one trajectory shows whether the engine can work here, and with this model.
    one = replace(request, trajectories=1, start=request.start[:1])
    return replace(engine, firing_limit=1).sample(one).engine
