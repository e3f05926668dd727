"""The result of a simulation: an ensemble of trajectories and its statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Outcome
from sbmlgrad.engines.exports import as_dataframe, as_xarray, is_whole
from sbmlgrad.engines.readouts import AfterFirings, Readout, ValuesAt
from sbmlgrad.errors import GradientError, ParameterError, RequestError, StatisticsError
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.elements import Parameter, Reaction, Species
from sbmlgrad.model.expression import TIME, Expression, Number, add, divide, negate
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.quantities import QUANTITIES, is_affine, quantity_of

if TYPE_CHECKING:
    import pandas
    import xarray

#: What the clock is called in `AfterFirings` readouts.
CLOCK = "time"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trajectories of one network under one set of parameters.

    Attributes:
        network: what was simulated.
        readouts: what was kept; `times`, where given, is the first.
        states: per readout [trajectory, point, column] as float64 array, or as TensorFlow tensor
            with a gradient. Columns are the state: counts of species (amounts in a deterministic
            simulation), then other symbols that events or rate rules change; after firings a last
            column holds the time.
        parameters: values used, float64 [parameter].
        constants: id → value of other symbols than parameters that never change.
        outcomes: int8 [trajectory], values of `engines.Outcome`.
        firings: int64 [trajectory], firings simulated.
        seed: key of the random streams.
        first_trajectory: number of the first trajectory.
        engine: what sampled it, and why it was chosen if it was not named.
        versions: software name → version.
        is_differentiable: whether states are TensorFlow tensors with gradients.
        meanings: what every symbol means as a function of the state, where it is not the network's
            own `in_counts`.
        is_deterministic: whether species are amounts that follow the rate equations.
        channels: what could fire, for the rates of reactions.
    """

    network: ReactionNetwork
    readouts: tuple[Readout, ...]
    states: tuple[Any, ...]
    parameters: NDArray[np.float64]
    constants: Mapping[str, float]
    outcomes: Any
    firings: Any
    seed: int
    first_trajectory: int
    engine: Any
    versions: Mapping[str, str] = field(default_factory=dict)
    is_differentiable: bool = False
    meanings: Mapping[str, Expression] | None = None
    is_deterministic: bool = False
    channels: tuple[Channel, ...] = ()

    @property
    def times(self) -> NDArray[np.float64]:
        """Requested output times, float64 [time]."""
        readout = self.readouts[0]
        if not isinstance(readout, ValuesAt):
            raise RequestError("this ensemble was simulated without `times`; see its readouts")
        return readout.points

    @property
    def species(self) -> tuple[str, ...]:
        """Ids of the species axis: the network's `species_ids`.

        All species of the state, also those that only events or rate rules change and that need
        not hold whole numbers of molecules.
        """
        return self.network.species_ids

    @property
    def counts(self) -> Any:
        """Molecules at `times`, int64 [trajectory, time, species]; never differentiable.

        Whole numbers of molecules of all species at once. Species that reactions change always have
        them; one that a rate rule changes, or an event sets to a fraction, has not, and nothing is
        rounded: then ask for single species with `values(id, "counts")`, float64
        [trajectory, time].

        Raises:
            RequestError: a deterministic simulation, or species that are no whole numbers.
        """
        _ = self.times
        if self.is_deterministic:
            raise RequestError(
                "a deterministic simulation has amounts, not whole numbers of molecules; "
                "use values(id) or mean(id)"
            )
        state = self.states[0][:, :, : len(self.species)]
        if self.is_differentiable:
            import tensorflow as tf

            # Without events and rate rules every number is whole.
            return tf.cast(tf.stop_gradient(state), tf.int64)
        broken = [s for i, s in enumerate(self.species) if not is_whole(state[:, :, i])]
        if broken:
            raise RequestError(
                f"counts: {_fractions(broken, self.network)}, and an array of whole numbers cannot "
                f'hold that; ask for species one by one, for instance values("{broken[0]}", '
                '"counts")'
            )
        return state.astype(np.int64)

    def values(
        self, id: str, quantity: str | None = None, *, readout: Readout | None = None
    ) -> Any:
        """Return a symbol along every trajectory.

        Args:
            id: any SBML symbol with a value; after firings also `time`.
            quantity: for species `"counts"` (items), `"amount"` (the model's substance units),
                `"concentration"` (substance / compartment size) or None: what the symbol means in
                the model's own mathematics. Ignored for other symbols.
            readout: which readout; the first one by default.

        Returns:
            float64 [trajectory, point]; a TensorFlow tensor with gradient for such parameters.

        Raises:
            ParameterError: no such symbol.
            RequestError: no such quantity or readout.
        """
        place = self._place(readout)
        state = self.states[place]
        if quantity is not None and quantity not in QUANTITIES:
            raise RequestError(f"quantity {quantity!r}: choose one of {QUANTITIES} or None")
        if not isinstance(id, str):
            raise ParameterError(f"{id!r} is no id; give an SBML id as text")
        if id == CLOCK and isinstance(self.readouts[place], AfterFirings):
            return state[:, :, -1]
        if id not in self.network.by_id:
            raise ParameterError(
                f"no symbol '{id}' in model '{self.network.id}'; its species are "
                f"{', '.join(s.id for s in self.network.species) or '(none)'}"
            )
        if not self.is_differentiable:
            return self._evaluated(id, quantity, state, self.readouts[place])
        if id in self.network.species_ids:
            index = self.network.species_ids.index(id)
            return state[:, :, index] * self._scale(id, quantity)
        return self._tensor(id, quantity, state)

    def _evaluated(
        self, id: str, quantity: str | None, state: NDArray[np.float64], readout: Readout
    ) -> NDArray[np.float64]:
        """Evaluate what is asked for of a symbol on the states kept."""
        network = self.network
        element = network.by_id[id]
        if quantity == "concentration" and isinstance(element, Species):
            self._check_size(element)
        if isinstance(element, Reaction) and not self.is_deterministic:
            expression = self._rate(element)
        else:
            meanings = network.in_counts if self.meanings is None else self.meanings
            expression = quantity_of(
                network, meanings, id, quantity, counts=not self.is_deterministic
            )
        slots = (*network.species_ids, *network.variable_ids)
        if not isinstance(readout, ValuesAt | AfterFirings) and not is_affine(expression, slots):
            raise RequestError(
                f"'{id}' at an averaged or interpolated state is not the average of '{id}'; ask "
                "for it at times"
            )
        values: dict[str, Any] = dict(self.constants)
        values |= dict(zip(network.parameter_ids, np.asarray(self.parameters), strict=True))
        values |= {s: state[:, :, i] for i, s in enumerate(slots)}
        values[TIME.id] = state[:, :, -1] if isinstance(readout, AfterFirings) else readout.labels
        result = np.asarray(evaluate(expression, values), dtype=np.float64)
        return np.broadcast_to(result, state.shape[:2]).copy()

    def _check_size(self, species: Species) -> None:
        size = self.constants.get(species.compartment)
        if size is not None and (not np.isfinite(size) or size == 0.0):
            raise RequestError(
                f"concentration of '{species.id}': compartment '{species.compartment}' has size "
                f"{size}; give it one, or ask for counts or amounts"
            )

    def _rate(self, reaction: Reaction) -> Expression:
        """Return a reaction's rate from its propensities, so that it is the one simulated."""
        rates = [
            channel.propensity if channel.id == reaction.id else negate(channel.propensity)
            for channel in self.channels
            if channel.reaction == reaction.id
        ]
        return divide(add(*rates), Number(self.network.items_per_extent))

    def mean(self, id: str, quantity: str | None = None, *, readout: Readout | None = None) -> Any:
        """Return the mean over trajectories, float64 [point]; arguments as in `values`."""
        self._refuse_failed()
        values = self.values(id, quantity, readout=readout)
        if self.is_differentiable:
            import tensorflow as tf

            return tf.reduce_mean(values, axis=0)
        return values.mean(axis=0)

    def variance(
        self, id: str, quantity: str | None = None, *, readout: Readout | None = None
    ) -> Any:
        """Return the sample variance (n - 1), float64 [point]; arguments as in `values`."""
        self._refuse_failed()
        values = self.values(id, quantity, readout=readout)
        n = int(values.shape[0])
        if n < 2:
            raise StatisticsError(
                f"variance of '{id}': at least two trajectories are needed, the ensemble has {n}"
            )
        if self.is_differentiable:
            import tensorflow as tf

            centred = values - tf.reduce_mean(values, axis=0)
            return tf.reduce_sum(tf.square(centred), axis=0) / (n - 1)
        return values.var(axis=0, ddof=1)

    def without_failures(self) -> Ensemble:
        """Return the ensemble without trajectories that failed, for `on_failure="mark"`.

        Statistics of what is left are conditional on not failing.
        """
        kept = np.flatnonzero(np.asarray(self.outcomes) <= Outcome.ABSORBED)
        if self.is_differentiable:
            raise GradientError(
                "a differentiable ensemble cannot drop trajectories: whether one fails depends on "
                "the parameters too; correct the model"
            )
        return replace(
            self,
            states=tuple(state[kept] for state in self.states),
            outcomes=self.outcomes[kept],
            firings=self.firings[kept],
        )

    def to_xarray(self) -> xarray.Dataset:
        """Return the state as an xarray dataset with dims (trajectory, time) and metadata.

        Species are counts (amounts after a deterministic simulation), as integers where they are
        whole; other symbols that events or rate rules change follow.
        """
        return as_xarray(self)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the state as a long pandas table: trajectory, time, one column per symbol.

        Columns are those of `to_xarray`.
        """
        return as_dataframe(self)

    def _place(self, readout: Readout | None) -> int:
        if readout is None:
            return 0
        if readout not in self.readouts:
            raise RequestError(f"{readout} was not asked for; the readouts are {self.readouts}")
        return self.readouts.index(readout)

    def _scale(self, id: str, quantity: str | None) -> float:
        species = self.network.by_id[id]
        assert isinstance(species, Species)
        if quantity is None:
            quantity = "amount" if species.only_substance_units else "concentration"
        if quantity == "counts":
            return 1.0
        if quantity == "amount":
            return 1.0 / species.items_per_substance
        if species.compartment not in self.constants:
            raise GradientError(
                f"concentration of '{id}': the size of '{species.compartment}' depends on the "
                'parameters; ask for "counts" or "amount" and divide by it'
            )
        self._check_size(species)
        size = self.constants[species.compartment]
        return 1.0 / (species.items_per_substance * size)

    def _tensor(self, id: str, quantity: str | None, state: Any) -> Any:
        """Return a symbol that no reaction changes as a tensor."""
        import tensorflow as tf

        element = self.network.by_id[id]
        if isinstance(element, Reaction):
            raise GradientError(
                f"the rate of '{id}' is not differentiable through this call; use the species it "
                "depends on"
            )
        if id in self.network.assignment_rules:
            raise GradientError(
                f"'{id}' is given by an assignment rule, which is not differentiable through this "
                "call; write its formula into the loss"
            )
        if isinstance(element, Parameter):
            value = self.parameters[self.network.parameter_ids.index(id)]
        elif id not in self.constants:
            raise GradientError(
                f"'{id}' depends on the parameters through an initial assignment; write its "
                "formula into the loss"
            )
        elif isinstance(element, Species):
            value = self._fixed_species(element, quantity)
        else:
            value = self.constants[id]
        return tf.ones_like(state[:, :, 0]) * tf.cast(value, tf.float64)

    def _fixed_species(self, species: Species, quantity: str | None) -> float:
        own = "amount" if species.only_substance_units else "concentration"
        in_items = self.constants[species.id] / self._scale(species.id, own)
        return in_items * self._scale(species.id, quantity)

    def _refuse_failed(self) -> None:
        if self.is_differentiable:
            return
        failed = int((np.asarray(self.outcomes) > Outcome.ABSORBED).sum())
        if failed:
            raise StatisticsError(
                f"{failed} of {len(self.outcomes)} trajectories failed and would bias a "
                "statistic; see `outcomes`, or use `without_failures()` on purpose"
            )


def constants(network: ReactionNetwork, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return id → value of other symbols than parameters that never change."""
    state = {*network.species_ids, *network.variable_ids, *network.assignment_rules}
    elements = (*network.compartments, *network.species, *network.references)
    return {e.id: values[e.id] for e in elements if e.id not in state}


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
