"""Who cannot judge a network, and what to say where nobody can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import NoRefereeError, RefereeError, RequestError, SbmlGradError
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.referees.base import AnyReferee, Selective, missing
from sbmlgrad.referees.divergences import known_divergences

#: How a message tells that a referee raised what it should not.
BROKE = "ended by an unforeseen"


@contextmanager
def asked_of(judge: AnyReferee) -> Iterator[None]:
    """Turn whatever is raised when a referee is asked into its failure: others are still asked."""
    try:
        yield
    except SbmlGradError:
        raise
    except Exception as error:
        raise RefereeError(
            f"referee '{judge.name}' {BROKE} {type(error).__name__}: {error}. Whoever wrote it did "
            "not foresee that; leave it out, or report it"
        ) from error


def refuse_namesakes(referees: Sequence[AnyReferee]) -> None:
    """Raise a `RequestError` if two referees have one name."""
    names = [judge.name for judge in referees]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise RequestError(
            f"against: {', '.join(map(repr, double))} is there more than once; results are kept by "
            "name, so ask for each once, and for two installations in two calls"
        )


def unavailable(referees: Sequence[AnyReferee]) -> dict[str, tuple[str, ...]]:
    """Return referee → how to install it, or why it could not tell whether it is installed.

    Args:
        referees: who might be asked.
    """
    found: dict[str, tuple[str, ...]] = {}
    for judge in referees:
        try:
            with asked_of(judge):
                absent = missing([judge])
        except RefereeError as error:
            found[judge.name] = (str(error),)
            continue
        python = getattr(judge, "python", None)
        where = "" if python is None else f" in the environment of {python}"
        found |= {
            name: (f"not installed{where}; install it{' there' if where else ''} with {how}",)
            for name, how in absent.items()
        }
    return found


def objections(
    referees: Sequence[AnyReferee], lowered: LoweredNetwork, times: NDArray[np.float64]
) -> dict[str, tuple[str, ...]]:
    """Return referee → why it cannot judge a network, for those that cannot.

    Args:
        referees: who might be asked.
        lowered: the network.
        times: float64 [time].
    """
    found: dict[str, tuple[str, ...]] = {}
    for judge in referees:
        why = tuple(map(str, known_divergences(judge.name, lowered)))
        if isinstance(judge, Selective):
            try:
                with asked_of(judge):
                    why += judge.objections(lowered, times)
            except RefereeError as error:
                why += (str(error),)
        if why:
            found[judge.name] = why
    return found


def without_objections(
    lowered: LoweredNetwork,
    referees: Sequence[AnyReferee],
    times: NDArray[np.float64],
    skipped: dict[str, tuple[str, ...]],
) -> list[AnyReferee]:
    """Return referees that can judge a network at these times; others are noted, with why.

    Args:
        lowered: the network.
        referees: who might be asked.
        times: float64 [time].
        skipped: referee → why it is left out; those are not asked, others are entered.

    Raises:
        NoRefereeError: none can.
    """
    skipped |= objections([r for r in referees if r.name not in skipped], lowered, times)
    found = [judge for judge in referees if judge.name not in skipped]
    if not found:
        none_left(lowered.network, skipped, {})
    return found


def none_left(
    model: ReactionNetwork,
    skipped: Mapping[str, tuple[str, ...]],
    failed: Mapping[str, SbmlGradError],
) -> NoReturn:
    """Raise what says why no comparison was made.

    Args:
        model: the network.
        skipped: referee → why it was left out.
        failed: referee → what it, or our own side beside it, failed with.

    Raises:
        SbmlGradError: the error of the only referee, a `NoRefereeError` where all were left out,
            or a `RefereeError` with all reasons.
    """
    if not skipped and len(failed) == 1:
        raise next(iter(failed.values()))
    reasons = [(name, reason) for name, why in skipped.items() for reason in why]
    listed = "\n".join(f"  - '{name}': {reason}" for name, reason in reasons)
    if not failed:
        raise NoRefereeError(
            f"model '{model.id}': no referee is left to ask, as every one is absent, cannot "
            f"simulate what this model uses, or is known to mishandle it:\n{listed}",
            skipped,
        )
    broken = "\n".join(f"  - '{name}' failed: {error}" for name, error in failed.items())
    raise RefereeError(
        f"model '{model.id}': no comparison could be made:\n{broken}\n{listed}".rstrip()
    )
