"""What `check_gradient` is asked to compare, checked: estimators, temperatures, ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sbmlgrad.errors import RequestError
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.model.arguments import ids_of, listed


def estimators_of(estimators: Any) -> list[Estimator]:
    """Return the estimators that a user gives.

    Raises:
        RequestError: they are no list, none, or not all estimator objects.
    """
    example = "list of estimators, for instance [sbmlgrad.gradients.TwoSidedAdjoint()]"
    found = listed("estimators", estimators, example)
    if not found:
        raise RequestError(f"estimators={estimators!r}: give a {example}")
    for one in found:
        if isinstance(one, type) or not isinstance(one, Estimator):
            raise RequestError(
                f"estimators: {one!r} is no estimator object; pass for instance "
                "sbmlgrad.gradients.TwoSidedAdjoint()"
            )
    return found


def temperatures_of(temperatures: Any) -> list[Any]:
    """Return the temperatures that a user gives; `StraightThrough` looks at each.

    Raises:
        RequestError: they are no list.
    """
    return listed("temperatures", temperatures, "list of numbers, for instance [0.0, 0.1, 1.0]")


def free_ids(free: Any, known: Sequence[str]) -> tuple[str, ...] | None:
    """Return the ids of free parameters that a user gives, or None for the default.

    Raises:
        ParameterError: they are no list of ids.
    """
    return None if free is None else ids_of("free", free, known)


def ids_of_species(of: Any, known: Sequence[str]) -> tuple[str, ...] | str | None:
    """Return the species that a user gives, several or one, or None for the default.

    Raises:
        ParameterError: they are neither an id nor a list of ids.
    """
    return of if of is None or isinstance(of, str) else ids_of("of", of, known)
