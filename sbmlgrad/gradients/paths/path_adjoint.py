"""Which kernel walks paths back: the only place that decides it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Outcome, Request
from sbmlgrad.engines.kernel_choice import AUTO, LOCKSTEP, PILOT_FIRINGS
from sbmlgrad.engines.native import Native
from sbmlgrad.gradients.paths import adjoint_sweep, straight_through_sweep
from sbmlgrad.gradients.paths.lockstep_reverse import pull_back_lockstep
from sbmlgrad.gradients.paths.lockstep_straight import LEAST_TEMPERATURE, pull_back_straight
from sbmlgrad.gradients.paths.reverse import Sweep, check_gradient_engine, finite, pull_back_path

#: Reactions above which code of its own for a gradient takes longer to compile than most run.
LARGEST_REVERSE = 40

#: Most reactions that a path of one byte a firing can tell apart.
MOST_REACTIONS = 255

#: Firings of a whole job from which compiling code for a small network's gradient pays, for one
#: that is taken some ten times, as in a fit; the code is kept on disk.
WORTH_COMPILING = 10**6


def pull_back_adjoint(
    name: str,
    engine: Native,
    request: Request,
    cotangent: NDArray[np.float64],
    *,
    two_sided: bool,
) -> NDArray[np.float64]:
    """Return the path adjoint's derivative of a loss in the inputs, float64 [input].

    Args:
        name: of the estimator, for messages.
        engine: gives threads and kernel.
        request: the request that gave the values.
        cotangent: derivative of the loss in the values, float64 [trajectory or 1, point, species].
        two_sided: take half of each difference of values at the firings themselves.

    Raises:
        GradientError: the gradient is not finite, or the engine draws other streams.
    """
    check_gradient_engine(engine)
    if pays_lockstep(engine, request):
        return finite(name, pull_back_lockstep(engine, request, cotangent, two_sided=two_sided))
    sweep = Sweep(
        name,
        adjoint_sweep.sweep,
        adjoint_sweep.FUNCTIONS,
        np.array([0.5 if two_sided else 0.0]),
    )
    return pull_back_path(sweep, engine, request, cotangent)


def pull_back_straight_through(
    name: str,
    engine: Native,
    request: Request,
    cotangent: NDArray[np.float64],
    temperature: float,
) -> NDArray[np.float64]:
    """Return the straight-through derivative of a loss in the inputs, float64 [input].

    Args:
        name: of the estimator, for messages.
        engine: gives threads and kernel.
        request: the request that gave the values.
        cotangent: derivative of the loss in the values, float64 [trajectory or 1, point, column].
        temperature: of the relaxed choice, >= 0.

    Raises:
        GradientError: the gradient is not finite, or the engine draws other streams.
    """
    check_gradient_engine(engine)
    is_moderate = temperature == 0.0 or temperature >= LEAST_TEMPERATURE
    if is_moderate and pays_lockstep(engine, request):
        return finite(name, pull_back_straight(engine, request, cotangent, temperature))
    sweep = Sweep(
        name,
        straight_through_sweep.sweep,
        straight_through_sweep.FUNCTIONS,
        np.array([temperature]),
    )
    return pull_back_path(sweep, engine, request, cotangent)


def pays_lockstep(engine: Native, request: Request) -> bool:
    """Tell whether code of its own is worth compiling for the gradient of a job."""
    reactions = len(request.lowered.channels)
    if not 0 < reactions <= MOST_REACTIONS or engine.kernel not in (AUTO, LOCKSTEP):
        return False
    if engine.kernel == LOCKSTEP:
        return True
    worth = WORTH_COMPILING * max(1.0, (reactions / 16.0) ** 2)
    if reactions > LARGEST_REVERSE or request.trajectories * PILOT_FIRINGS < worth:
        return False
    pilot = replace(request, trajectories=1, start=request.start[:1], progress=None)
    sample = replace(engine, threads=1, kernel="table", firing_limit=PILOT_FIRINGS).sample(pilot)
    reached = sample.outcomes[0] == Outcome.FIRING_LIMIT
    return bool(reached or int(sample.firings[0]) * request.trajectories >= worth)
