"""The values of a symbol or a formula on the states of an ensemble, of NumPy or of TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sbmlgrad.engines.asked_formulas import (
    Asked,
    is_affine_in_state,
    over_state,
    refuse_jumps,
    slots,
)
from sbmlgrad.engines.exports import is_whole
from sbmlgrad.engines.readouts import AfterFirings, Readout
from sbmlgrad.engines.statistic_functions import FOR_JUMPS
from sbmlgrad.errors import ParameterError, RequestError
from sbmlgrad.model.expression import TIME, Expression, symbols
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import as_numbers
from sbmlgrad.model.operators import evaluate

if TYPE_CHECKING:
    from sbmlgrad.engines.ensemble import Ensemble

#: Further symbols of formulas: id → number or tensor, [] or, with a batch, [set].
Extra = Mapping[str, Any]


def symbol_along_paths(
    ensemble: Ensemble,
    asked: Asked,
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None = None,
) -> Any:
    """Return a symbol or a formula along every trajectory; see `Ensemble.values`."""
    place = ensemble.place(readout)
    kept = ensemble.readouts[place]
    given = extra_of(ensemble, extra)
    formula = over_state(ensemble, asked, quantity, kept, given)
    if ensemble.differentiator is not None:
        refuse_jumps(ensemble, asked, formula, kept, _advice(ensemble.differentiator.is_pathwise))
    return on_states(ensemble, formula, ensemble.states[place], kept, ensemble.parameters, given)


def needs_expectation(ensemble: Ensemble, formula: Expression, readout: Readout) -> bool:
    """Tell whether the gradient of a mean does not follow from that of the mean state."""
    differentiator = ensemble.differentiator
    if differentiator is None or differentiator.is_pathwise:
        return False
    return not is_affine_in_state(ensemble, formula, readout)


def _advice(is_pathwise: bool) -> str:
    if is_pathwise:
        return f"{FOR_JUMPS} differentiate what mean(), expect() or probability() give of it"
    return "mean(), expect() or probability() give its expectation with the gradient"


def extra_of(ensemble: Ensemble, extra: Extra | None) -> dict[str, Any]:
    """Return further symbols, checked, as float64 arrays or tensors [] or [set].

    Raises:
        ParameterError: a symbol of the model, or a value of another shape or that is not finite.
        RequestError: a tensor, where the ensemble holds arrays.
    """
    if extra is None:
        return {}
    if not isinstance(extra, Mapping):
        raise RequestError(f"extra={extra!r}: pass a mapping of ids to values")
    found: dict[str, Any] = {}
    for id, value in extra.items():
        if not isinstance(id, str) or id in ensemble.network.by_id or id == TIME.id:
            raise ParameterError(
                f"extra: {id!r} is a symbol of model '{ensemble.network.id}', whose value comes "
                "from the simulation; leave it out, or call the further symbol something else"
            )
        found[id] = _extra_value(ensemble, id, value)
    return found


def _extra_value(ensemble: Ensemble, id: str, given: Any) -> Any:
    value: Any = given
    if not hasattr(given, "dtype") or isinstance(given, np.ndarray | np.generic):
        value = as_numbers(f"extra '{id}'", value)
        if not np.all(np.isfinite(value)):
            raise ParameterError(f"extra '{id}': {value} is not a finite number; give one")
    elif not ensemble.is_differentiable:
        raise RequestError(
            f"extra '{id}': a tensor has a gradient, and this ensemble holds arrays, which have "
            "none; pass the parameters of the simulation as a tensor too, or give a number"
        )
    if ensemble.is_differentiable:
        import tensorflow as tf

        value = tf.cast(tf.convert_to_tensor(value), tf.float64)
    shape = tuple(value.shape)
    sets = ensemble.states[0].shape[0] if ensemble.is_batched else 0
    # Inside tf.function a number of sets may be unknown until it runs.
    if shape and not (ensemble.is_batched and len(shape) == 1 and shape[0] in (sets, None)):
        more = f", or one for each of the {sets} parameter sets" if ensemble.is_batched else ""
        raise ParameterError(f"extra '{id}': give one number{more}, not an array {shape}")
    return value


def on_states(
    ensemble: Ensemble,
    formula: Expression,
    state: Any,
    readout: Readout,
    parameters: Any,
    extra: Extra,
) -> Any:
    """Return a formula on states, those of an ensemble or other ones.

    Args:
        ensemble: whose constants there are.
        formula: as `over_state` returns it.
        state: tensor or array [..., trajectory, point, column]; the result is of its kind.
        readout: what the states are.
        parameters: tensor or array [..., parameter].
        extra: id → tensor or array, [] or [set].
    """
    # Only what is used: slices of tensors cost more than what is done with them.
    used = symbols(formula)
    values: dict[str, Any] = {s: v for s, v in ensemble.constants.items() if s in used}
    # Beside [..., trajectory, point].
    values |= {s: v[..., None, None] if len(v.shape) else v for s, v in extra.items() if s in used}
    for i, id in enumerate(ensemble.network.parameter_ids):
        if id in used:
            values[id] = parameters[..., i, None, None]
    # Parameters that events or rate rules change are part of the state.
    for i, id in enumerate(slots(ensemble)):
        if id in used:
            values[id] = state[..., i]
    if TIME.id in used:
        values[TIME.id] = state[..., -1] if isinstance(readout, AfterFirings) else readout.labels
    if isinstance(state, np.ndarray):
        result = np.asarray(evaluate(formula, values), dtype=np.float64)
        return np.broadcast_to(result, state.shape[:-1]).copy()
    import tensorflow as tf

    from sbmlgrad.codegen.tensorflow_graph import expression_tensor

    found = expression_tensor(formula, values)
    column = state[..., 0]
    return found if found.shape == column.shape else tf.zeros_like(column) + found


def whole_counts(ensemble: Ensemble) -> Any:
    """Return molecules as whole numbers; see `Ensemble.counts`."""
    state = ensemble.states[0][..., : len(ensemble.species)]
    if ensemble.is_differentiable:
        import tensorflow as tf

        broken = [s for s in ensemble.species if s not in ensemble.network.counted]
        if not broken:
            return tf.cast(tf.stop_gradient(state), tf.int64)
    else:
        broken = [s for i, s in enumerate(ensemble.species) if not is_whole(state[..., i])]
    if broken:
        raise RequestError(
            f"counts: {_fractions(broken, ensemble.network)}, and an array of whole numbers cannot "
            f'hold that; ask for species one by one, for instance values("{broken[0]}", '
            '"counts")'
        )
    return state.astype(np.int64)


def _fractions(species: Sequence[str], network: ReactionNetwork) -> str:
    """Say which species are no whole numbers of molecules, and what makes them so."""
    ruled = [s for s in species if s in network.rate_rules]
    other = [s for s in species if s not in network.rate_rules]
    parts = [
        f"{', '.join(map(repr, names))} {cause}"
        for names, cause in (
            (ruled, "follows a rate rule and takes values that are no whole numbers"),
            (other, "takes values that are no whole numbers (an event sets it)"),
        )
        if names
    ]
    return " and ".join(parts)
