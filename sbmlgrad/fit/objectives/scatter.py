"""Whether and how measuring adds to the scatter between trajectories."""

from __future__ import annotations

from sbmlgrad.errors import FitError
from sbmlgrad.fit.problems.plain import FROM_DATA, NOISE
from sbmlgrad.model.expression import Expression, Number, multiply
from sbmlgrad.model.problem import Observable, Problem


def adds_noise(problem: Problem, asked: bool | None) -> tuple[bool, str]:
    """Return whether noise models add to the scatter of trajectories, and that in words.

    Args:
        problem: what is calibrated.
        asked: what the user says; None adds them unless they were made from the scatter of the
            very measurements, which holds that of trajectories already.
    """
    is_from_data = problem.settings.get(NOISE) == FROM_DATA
    adds = not is_from_data if asked is None else asked
    if adds:
        return True, "measurements scatter as single trajectories do, and by their noise models"
    return False, (
        "measurements scatter as single trajectories do, and measuring adds nothing to that"
    )


def noise_variance(observable: Observable) -> Expression:
    """Return the variance that measuring adds, as a formula like that of the prediction.

    Args:
        observable: with normal, Laplace (variance 2b²) or Poisson noise.

    Raises:
        FitError: noise of another kind, which does more than add.
    """
    scale = observable.noise.scale
    square = multiply(scale, scale)
    found = {
        "normal": square,
        "laplace": multiply(Number(2.0), square),
        "poisson": observable.formula,
    }
    if observable.noise.distribution not in found:
        raise FitError(
            f"observable {observable.id!r}: {observable.noise.distribution} noise does not simply "
            "add to the scatter of trajectories; describe it by normal, laplace or poisson noise "
            "for this objective, or leave it out with measurement_noise=False"
        )
    return found[observable.noise.distribution]
