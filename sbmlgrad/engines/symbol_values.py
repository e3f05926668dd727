"""The values of a symbol on the states of an ensemble, of NumPy or of TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.exports import is_whole
from sbmlgrad.engines.readouts import AfterFirings, Readout, ValuesAt
from sbmlgrad.errors import GradientError, ParameterError, RequestError
from sbmlgrad.model.elements import Parameter, Reaction, Species
from sbmlgrad.model.expression import TIME, Expression, Number, add, divide, negate
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.quantities import QUANTITIES, is_affine, quantity_of

if TYPE_CHECKING:
    from sbmlgrad.engines.ensemble import Ensemble

#: What the clock is called in `AfterFirings` readouts.
CLOCK = "time"


def symbol_along_paths(
    ensemble: Ensemble, id: str, quantity: str | None, readout: Readout | None
) -> Any:
    """Return a symbol along every trajectory; see `Ensemble.values`."""
    place = ensemble.place(readout)
    state, kept = ensemble.states[place], ensemble.readouts[place]
    check_symbol(ensemble, id, quantity, kept)
    if not ensemble.is_differentiable:
        return evaluated(ensemble, id, quantity, state, kept)
    return on_states(ensemble, id, quantity, state, kept, ensemble.parameters)


def check_symbol(ensemble: Ensemble, id: str, quantity: str | None, readout: Readout) -> None:
    """Raise for a symbol or quantity that does not exist."""
    if quantity is not None and quantity not in QUANTITIES:
        raise RequestError(f"quantity {quantity!r}: choose one of {QUANTITIES} or None")
    if not isinstance(id, str):
        raise ParameterError(f"{id!r} is no id; give an SBML id as text")
    if id == CLOCK and isinstance(readout, AfterFirings):
        return
    if id not in ensemble.network.by_id:
        raise ParameterError(
            f"no symbol '{id}' in model '{ensemble.network.id}'; its species are "
            f"{', '.join(s.id for s in ensemble.network.species) or '(none)'}"
        )


def evaluated(
    ensemble: Ensemble, id: str, quantity: str | None, state: Any, readout: Readout
) -> NDArray[np.float64]:
    """Return a symbol on states float64 [..., point, column], by what it means in the network."""
    network = ensemble.network
    if id == CLOCK and isinstance(readout, AfterFirings):
        return state[..., -1]
    element = network.by_id[id]
    if quantity == "concentration" and isinstance(element, Species):
        _check_size(ensemble, element)
    if isinstance(element, Reaction) and not ensemble.is_deterministic:
        expression = _rate(ensemble, element)
    else:
        meanings = network.in_counts if ensemble.meanings is None else ensemble.meanings
        expression = quantity_of(
            network, meanings, id, quantity, counts=not ensemble.is_deterministic
        )
    slots = (*network.species_ids, *network.variable_ids)
    if not isinstance(readout, ValuesAt | AfterFirings) and not is_affine(expression, slots):
        raise RequestError(
            f"'{id}' at an averaged or interpolated state is not the average of '{id}'; ask "
            "for it at times"
        )
    values: dict[str, Any] = dict(ensemble.constants)
    parameters = np.asarray(ensemble.parameters)
    if ensemble.is_batched:
        # Beside [set, trajectory, point].
        parameters = parameters[:, None, None, :]
    values |= {p: parameters[..., i] for i, p in enumerate(network.parameter_ids)}
    values |= {s: state[..., i] for i, s in enumerate(slots)}
    values[TIME.id] = state[..., -1] if isinstance(readout, AfterFirings) else readout.labels
    result = np.asarray(evaluate(expression, values), dtype=np.float64)
    return np.broadcast_to(result, state.shape[:-1]).copy()


def on_states(
    ensemble: Ensemble, id: str, quantity: str | None, state: Any, readout: Readout, parameters: Any
) -> Any:
    """Return a symbol of an ensemble with gradients on states, its own or other ones.

    Args:
        ensemble: a differentiable ensemble.
        id: symbol.
        quantity: as in `Ensemble.values`.
        state: tensor or array [..., trajectory, point, column].
        readout: what the states are.
        parameters: tensor or array [..., parameter].

    Raises:
        GradientError: what this symbol depends on is not differentiable through the simulation.
    """
    network = ensemble.network
    if id == CLOCK and isinstance(readout, AfterFirings):
        return state[..., -1]
    element = network.by_id[id]
    if id in network.species_ids:
        index = network.species_ids.index(id)
        return state[..., index] * _scale(ensemble, id, quantity)
    if isinstance(element, Reaction):
        raise GradientError(
            f"the rate of '{id}' is not differentiable through this call; use the species it "
            "depends on"
        )
    if id in network.assignment_rules:
        raise GradientError(
            f"'{id}' is given by an assignment rule, which is not differentiable through this "
            "call; write its formula into the loss"
        )
    if isinstance(element, Parameter):
        place = network.parameter_ids.index(id)
        return _like(state[..., 0], parameters[..., place, None, None])
    if id not in ensemble.constants:
        raise GradientError(
            f"'{id}' depends on the parameters through an initial assignment; write its "
            "formula into the loss"
        )
    if isinstance(element, Species):
        return _like(state[..., 0], _fixed_species(ensemble, element, quantity))
    return _like(state[..., 0], ensemble.constants[id])


def whole_counts(ensemble: Ensemble) -> Any:
    """Return molecules as whole numbers; see `Ensemble.counts`."""
    state = ensemble.states[0][..., : len(ensemble.species)]
    if ensemble.is_differentiable:
        import tensorflow as tf

        # Without events and rate rules every number is whole.
        return tf.cast(tf.stop_gradient(state), tf.int64)
    broken = [s for i, s in enumerate(ensemble.species) if not is_whole(state[..., i])]
    if broken:
        raise RequestError(
            f"counts: {_fractions(broken, ensemble.network)}, and an array of whole numbers cannot "
            f'hold that; ask for species one by one, for instance values("{broken[0]}", '
            '"counts")'
        )
    return state.astype(np.int64)


def _like(column: Any, value: Any) -> Any:
    if isinstance(column, np.ndarray):
        return np.ones_like(column) * value
    import tensorflow as tf

    return tf.ones_like(column) * tf.cast(value, tf.float64)


def _check_size(ensemble: Ensemble, species: Species) -> None:
    size = ensemble.constants.get(species.compartment)
    if size is not None and (not np.all(np.isfinite(size)) or np.any(size == 0.0)):
        raise RequestError(
            f"concentration of '{species.id}': compartment '{species.compartment}' has size "
            f"{size}; give it one, or ask for counts or amounts"
        )


def _rate(ensemble: Ensemble, reaction: Reaction) -> Expression:
    """Return a reaction's rate from its propensities, so that it is the one simulated."""
    rates = [
        channel.propensity if channel.id == reaction.id else negate(channel.propensity)
        for channel in ensemble.channels
        if channel.reaction == reaction.id
    ]
    return divide(add(*rates), Number(ensemble.network.items_per_extent))


def _scale(ensemble: Ensemble, id: str, quantity: str | None) -> float:
    species = ensemble.network.by_id[id]
    assert isinstance(species, Species)
    if quantity is None:
        quantity = "amount" if species.only_substance_units else "concentration"
    if quantity == "counts":
        return 1.0
    if quantity == "amount":
        return 1.0 / species.items_per_substance
    if species.compartment not in ensemble.constants:
        raise GradientError(
            f"concentration of '{id}': the size of '{species.compartment}' depends on the "
            'parameters; ask for "counts" or "amount" and divide by it'
        )
    _check_size(ensemble, species)
    size = ensemble.constants[species.compartment]
    return 1.0 / (species.items_per_substance * size)


def _fixed_species(ensemble: Ensemble, species: Species, quantity: str | None) -> float:
    own = "amount" if species.only_substance_units else "concentration"
    in_items = ensemble.constants[species.id] / _scale(ensemble, species.id, own)
    return in_items * _scale(ensemble, species.id, quantity)


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
