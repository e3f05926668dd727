"""`uncertainty`: standard errors and intervals of a fit, by one of several methods."""

from __future__ import annotations

from typing import Any

from sbmlgrad.engines.base import Engine
from sbmlgrad.errors import RequestError
from sbmlgrad.fit.objectives.base import ExactLikelihood, Objective
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.uncertainty.bootstrap import bootstrap
from sbmlgrad.fit.uncertainty.exact_likelihood import from_exact_likelihood
from sbmlgrad.fit.uncertainty.fisher import fisher
from sbmlgrad.fit.uncertainty.fitted import fitted_of
from sbmlgrad.fit.uncertainty.profile import profile
from sbmlgrad.fit.uncertainty.result import Uncertainty
from sbmlgrad.fit.uncertainty.sampling import mcmc
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.model.numbers import as_number
from sbmlgrad.simulation_inputs import check_engine, seed_of

METHODS = ("fisher", "bootstrap", "profile", "mcmc")


def uncertainty(
    result: FitResult,
    method: str = "fisher",
    level: float = 0.9,
    *,
    objective: Objective | None = None,
    estimator: Estimator | None = None,
    engine: Engine | None = None,
    seed: int | None = None,
    **settings: Any,
) -> Uncertainty:
    """Return standard errors and intervals of fitted values.

    When to choose which: `"fisher"` takes seconds and suits estimates that are nearly normal, of
    `MeanTrajectory` and of exact likelihoods (`StateSpaceLikelihood`, `DwellTimes`);
    `"profile"` shows what the data leave open; `"bootstrap"` serves every objective; `"mcmc"` takes
    priors whole, the others as penalties. `with_uncertainty(result, uncertainty(result))` puts it
    into the result, whose network then carries it when it is saved.

    Args:
        result: of `fit`.
        method: one of `METHODS`.
        level: of the intervals, between 0 and 1.
        objective: of the fit, where its name does not say it all.
        estimator: of the fit, likewise.
        engine: what samples; `Native()` by default.
        seed: of the random streams; by default one that follows from that of the fit.
        settings: of the method: see `fisher.fisher`, `bootstrap.bootstrap`, `profile.profile` and
            `sampling.mcmc`. `"fisher"` of an exact likelihood has only
            `progress`.

    Returns:
        The uncertainty; what limits it is said in its flags.

    Raises:
        RequestError: an unknown method or setting, or a level outside of 0 to 1.
        FitError: a method that does not suit the fit; says which does.
    """
    if not isinstance(result, FitResult):
        raise RequestError(f"uncertainty({result!r}): pass a result of fit()")
    if method not in METHODS:
        raise RequestError(f"method={method!r}: choose one of {', '.join(METHODS)}")
    share = as_number("level", level)
    if not 0.0 < share < 1.0:
        raise RequestError(f"level={level!r}: must lie between 0 and 1; 0.9 means 90 %")
    if engine is not None:
        check_engine(engine)
    fitted = fitted_of(
        result,
        objective=objective,
        estimator=estimator,
        engine=engine,
        seed=None if seed is None else seed_of(seed),
    )
    is_exact = isinstance(fitted.objective, ExactLikelihood)
    chosen = {"bootstrap": bootstrap, "profile": profile, "mcmc": mcmc}
    nearby = from_exact_likelihood if is_exact else fisher
    known = _settings(chosen.get(method, nearby))
    if unknown := sorted(settings.keys() - known):
        raise RequestError(
            f"method={method!r} has no setting {', '.join(unknown)}; it has "
            f"{', '.join(sorted(known))}{' for this objective' if is_exact else ''}"
        )
    if method == "fisher":
        if is_exact:
            return from_exact_likelihood(fitted, share, **settings)
        return fisher(fitted, share, **settings)
    return chosen[method](fitted, share, **settings)


def _settings(function: Any) -> set[str]:
    import inspect

    return set(inspect.signature(function).parameters) - {"fitted", "level"}
