"""What `simulate` is asked for, checked: parameters, initial values, readouts, engine, seed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Engine, is_deterministic
from sbmlgrad.engines.random import LARGEST_TRAJECTORY
from sbmlgrad.engines.readouts import Readout, ValuesAt
from sbmlgrad.errors import GradientError, ParameterError, RequestError
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.arguments import values_by_id
from sbmlgrad.model.initial import check_initial_names
from sbmlgrad.model.network import ReactionNetwork, check_parameter_names
from sbmlgrad.model.numbers import as_number, as_numbers, whole

#: Seeds key counter-based streams, and TensorFlow hands them on as signed integers.
LARGEST_SEED = 2**63 - 1


def initial_of(model: ReactionNetwork, initial: Mapping[str, float] | None) -> dict[str, float]:
    """Return the initial values that the user gave, by id of a species or compartment."""
    given = values_by_id("initial", initial)
    check_initial_names(model, given)
    return given


def explicit_of(model: ReactionNetwork, parameters: Any) -> dict[str, float]:
    """Return the parameters that the user gave, by id."""
    if parameters is None:
        return {}
    is_listed = isinstance(parameters, Mapping | list | tuple)
    inner = parameters.values() if isinstance(parameters, Mapping) else parameters
    if is_listed and any(is_tensor(value) for value in inner):
        raise GradientError(
            "parameters: tensors in a mapping or list would be taken as plain numbers, without a "
            "gradient; pass one tensor with the values of all parameters in the order of "
            "parameter_ids, such as tf.stack([...])"
        )
    if isinstance(parameters, Mapping):
        check_parameter_names(model, parameters)
        given = {str(k): as_number(f"parameter '{k}'", v) for k, v in parameters.items()}
    else:
        array = as_numbers("parameters", parameters)
        if array.shape != (len(model.parameter_ids),):
            raise ParameterError(
                f"parameters: model '{model.id}' has {len(model.parameter_ids)} parameters "
                f"({', '.join(model.parameter_ids) or 'none'}), got an array of shape {array.shape}"
            )
        given = dict(zip(model.parameter_ids, array.tolist(), strict=True))
    own = {} if isinstance(parameters, Mapping) else _own_values(model)
    for name, value in given.items():
        # `model.parameter_values`, with the NaN of values that a document lacks, may be given back.
        if not np.isfinite(value) and not (np.isnan(value) and np.isnan(own.get(name, 0.0))):
            raise ParameterError(
                f"parameter '{name}': the value {value} is not a finite number; give one, or leave "
                "it out of a mapping for the model's own"
            )
    return given


def _own_values(model: ReactionNetwork) -> dict[str, float]:
    return dict(zip(model.parameter_ids, model.parameter_values.tolist(), strict=True))


def starts_of(
    model: ReactionNetwork, starts: Any, initial: Mapping[str, float]
) -> NDArray[np.float64] | None:
    """Return the states to start in, checked, float64 [start, species], or None."""
    if starts is None:
        return None
    states = as_numbers("starts", starts)
    species = model.species_ids
    if states.ndim != 2 or states.shape[1] != len(species) or not len(states):
        raise RequestError(
            f"starts: give molecules as an array [start, {len(species)}], in the order "
            f"{', '.join(species)}, not one of shape {states.shape}"
        )
    if both := sorted(initial.keys() & set(species)):
        raise RequestError(
            f"starts and initial both say where {', '.join(both)} starts; leave one of them out"
        )
    for place, id in enumerate(species):
        column = states[:, place]
        is_bad = ~np.isfinite(column) | (column < 0.0)
        if id in model.counted:
            is_bad |= column != np.rint(column)
        if is_bad.any():
            row = int(np.flatnonzero(is_bad)[0])
            raise RequestError(
                f"starts: state {row} has {column[row]:g} molecules of '{id}', and a trajectory "
                "starts from whole numbers >= 0"
            )
    return states


def readouts_of(times: Any, readouts: Sequence[Readout]) -> tuple[Readout, ...]:
    """Return all readouts asked for; values at `times` come first."""
    found: tuple[Readout, ...] = () if times is None else (ValuesAt(times),)
    is_list = isinstance(readouts, Iterable) and not isinstance(readouts, Readout)
    more = tuple(readouts) if is_list else ()
    if not is_list or not all(isinstance(r, Readout) for r in more):
        raise RequestError(
            f"readouts={readouts!r}: pass a list of readouts, for instance "
            "[sbmlgrad.WindowAverages([0, 1, 2])]"
        )
    found += more
    if not found:
        raise RequestError("nothing to keep: give `times` or `readouts`")
    return found


def default_engine() -> Engine:
    """Return the engine of who names none."""
    from sbmlgrad.engines.native import Native

    return Native()


def check_engine(engine: Any) -> None:
    """Raise a `RequestError` for something that is no engine object."""
    if isinstance(engine, type) or not (isinstance(engine, Engine) or is_deterministic(engine)):
        raise RequestError(
            f"engine={engine!r}: pass an engine object, for instance sbmlgrad.engines.Native()"
        )


def numbers_of(trajectories: Any, first_trajectory: Any) -> tuple[int, int]:
    """Return how many trajectories there are, and the number of the first one.

    Raises:
        RequestError: they are no whole numbers, or more than one seed addresses.
    """
    count = whole("trajectories", trajectories, 1, LARGEST_TRAJECTORY)
    first = whole("first_trajectory", first_trajectory, 0, LARGEST_TRAJECTORY)
    if first + count > LARGEST_TRAJECTORY + 1:
        raise RequestError(f"one seed addresses trajectories 0 to {LARGEST_TRAJECTORY} only")
    return count, first


def draw_seed() -> int:
    """Return a fresh seed from the operating system."""
    return secrets.randbits(63)


def seed_of(seed: Any) -> int:
    """Return the seed given, or a fresh one."""
    return draw_seed() if seed is None else whole("seed", seed, 0, LARGEST_SEED)
