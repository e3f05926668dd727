"""Arguments of public functions: taken as what they mean, or refused with a message naming them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sbmlgrad.errors import ParameterError, RequestError
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import as_number


def check_network(verb: str, model: Any) -> None:
    """Raise a `RequestError` for a model that is no loaded network.

    Args:
        verb: the function that was called.
        model: its first argument.
    """
    if not isinstance(model, ReactionNetwork):
        raise RequestError(f"{verb}(model): pass a loaded network, not {model!r}")


def check_progress(progress: Any) -> None:
    """Raise a `RequestError` for something that cannot be told how far a job has come."""
    if progress is not None and not callable(progress):
        raise RequestError(f"progress={progress!r}: pass a function of (done, total)")


def check_on_failure(on_failure: Any) -> None:
    """Raise a `RequestError` for what cannot be done with trajectories that fail."""
    if not isinstance(on_failure, str) or on_failure not in ("raise", "mark"):
        raise RequestError(f"on_failure={on_failure!r}: choose 'raise' or 'mark'")


def listed(what: str, values: Any, example: str) -> list[Any]:
    """Return a list that a user gives in any form that can be gone through; a text is none.

    Args:
        what: name of the argument.
        values: what was given.
        example: what a list looks like, with what it is of: `"list of ids, for instance ['k']"`.

    Raises:
        RequestError: it is no list.
    """
    if not isinstance(values, str | bytes):
        try:
            return list(values)
        except TypeError:
            pass
    raise RequestError(f"{what}={values!r}: give a {example}")


def ids_of(what: str, ids: Any, known: Sequence[str]) -> tuple[str, ...]:
    """Return the ids that a user gives, in their order; whether they exist is not looked at.

    Args:
        what: name of the argument.
        ids: what was given.
        known: ids that exist, for the advice.

    Raises:
        ParameterError: it is no list of texts. A single text is none: its letters may be ids.
    """
    example = ids if isinstance(ids, str) else (*known, "k")[0]
    try:
        found = listed(what, ids, f"list of ids, for instance [{example!r}]")
    except RequestError as error:
        raise ParameterError(str(error)) from None
    wrong = [one for one in found if not isinstance(one, str)]
    if wrong:
        raise ParameterError(
            f"{what}: {wrong[0]!r} is no id; give a list of ids, for instance [{example!r}]"
        )
    return tuple(str(one) for one in found)


def values_by_id(what: str, values: Any) -> dict[str, float]:
    """Return numbers by id, none for None; whether the ids exist is not looked at.

    Raises:
        RequestError: it is no mapping, or a value is no number.
    """
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise RequestError(f"{what}={values!r}: pass a mapping of ids to values")
    return {str(id): as_number(f"{what}, '{id}'", value) for id, value in values.items()}
