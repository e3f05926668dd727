"""The result of a simulation: an ensemble of trajectories and its statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Outcome
from sbmlgrad.engines.readouts import AfterFirings, Readout, ValuesAt
from sbmlgrad.errors import GradientError, ParameterError, RequestError, StatisticsError
from sbmlgrad.model.elements import Compartment, Parameter, Reaction, Species
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate

if TYPE_CHECKING:
    import pandas
    import xarray

QUANTITIES = ("counts", "amount", "concentration")

#: Symbol of the clock in `AfterFirings` readouts.
TIME = "time"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trajectories of one network under one set of parameters.

    Attributes:
        network: what was simulated.
        readouts: what was kept; `times`, where given, is the first.
        states: per readout, counts [trajectory, point, species] as float64 array, or as TensorFlow
            tensor with a gradient. After firings a last column holds the time.
        parameters: values used, float64 [parameter].
        constants: id → value of compartments and of species that never change.
        outcomes: int8 [trajectory], values of `engines.Outcome`.
        firings: int64 [trajectory], firings simulated.
        seed: key of the random streams.
        first_trajectory: number of the first trajectory.
        engine: what sampled it, and why it was chosen if it was not named.
        versions: software name → version.
        is_differentiable: whether states are TensorFlow tensors with gradients.
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

    @property
    def times(self) -> NDArray[np.float64]:
        """Requested output times, float64 [time]."""
        readout = self.readouts[0]
        if not isinstance(readout, ValuesAt):
            raise RequestError("this ensemble was simulated without `times`; see its readouts")
        return readout.points

    @property
    def species(self) -> tuple[str, ...]:
        """Ids of the species axis."""
        return self.network.species_ids

    @property
    def counts(self) -> Any:
        """Molecules at `times`, int64 [trajectory, time, species]; never differentiable."""
        _ = self.times
        state = self.states[0]
        if self.is_differentiable:
            import tensorflow as tf

            return tf.cast(tf.stop_gradient(state), tf.int64)
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
        if id in self.network.species_ids:
            index = self.network.species_ids.index(id)
            return state[:, :, index] * self._scale(id, quantity)
        if id == TIME and isinstance(self.readouts[place], AfterFirings):
            return state[:, :, len(self.network.species_ids)]
        return self._other(id, quantity, state, self.readouts[place])

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
        """Return counts as an xarray dataset with dims (trajectory, time) and metadata."""
        import xarray

        counts = np.asarray(self.counts)
        coordinates = {
            "trajectory": np.arange(counts.shape[0]) + self.first_trajectory,
            "time": self.times,
        }
        data: dict[str, Any] = {
            s: (("trajectory", "time"), counts[:, :, i]) for i, s in enumerate(self.species)
        }
        data["outcome"] = (("trajectory",), np.asarray(self.outcomes))
        attributes = {
            "model": self.network.id,
            "seed": self.seed,
            "engine": str(self.engine),
            "time_unit": self.network.time_unit,
            "parameters": ", ".join(
                f"{p}={v!r}"
                for p, v in zip(
                    self.network.parameter_ids, np.asarray(self.parameters).tolist(), strict=True
                )
            ),
            **{f"version_{name}": version for name, version in self.versions.items()},
        }
        return xarray.Dataset(data, coords=coordinates, attrs=attributes)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return counts as a long pandas table: trajectory, time, one column per species."""
        import pandas

        counts = np.asarray(self.counts)
        n, k = counts.shape[:2]
        numbers = np.repeat(np.arange(n) + self.first_trajectory, k)
        table = {"trajectory": numbers, "time": np.tile(self.times, n)}
        table |= {s: counts[:, :, i].reshape(-1) for i, s in enumerate(self.species)}
        frame = pandas.DataFrame(table)
        frame.attrs = {"model": self.network.id, "seed": self.seed, "engine": str(self.engine)}
        return frame

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
        size = self.constants[species.compartment]
        if not np.isfinite(size) or size == 0.0:
            raise RequestError(
                f"concentration of '{id}': compartment '{species.compartment}' has size {size}; "
                "give it one, or ask for counts or amounts"
            )
        return 1.0 / (species.items_per_substance * size)

    def _other(self, id: str, quantity: str | None, state: Any, readout: Readout) -> Any:
        element = self.network.by_id.get(id)
        if element is None:
            raise ParameterError(
                f"no symbol '{id}' in model '{self.network.id}'; its species are "
                f"{', '.join(s.id for s in self.network.species) or '(none)'}"
            )
        if isinstance(element, Reaction):
            return self._rate(element, state, readout)
        if isinstance(element, Parameter):
            value = self.parameters[self.network.parameter_ids.index(id)]
        elif id not in self.constants:
            raise GradientError(
                f"'{id}' depends on the parameters through an initial assignment; write its "
                "formula into the loss"
            )
        elif isinstance(element, Compartment):
            value = self.constants[id]
        else:
            value = self._fixed_species(element, quantity)
        if self.is_differentiable:
            import tensorflow as tf

            return tf.ones_like(state[:, :, 0]) * tf.cast(value, tf.float64)
        return np.full(state.shape[:2], value)

    def _fixed_species(self, species: Species, quantity: str | None) -> float:
        own = "amount" if species.only_substance_units else "concentration"
        in_items = self.constants[species.id] / self._scale(species.id, own)
        return in_items * self._scale(species.id, quantity)

    def _rate(self, reaction: Reaction, state: Any, readout: Readout) -> Any:
        if not isinstance(readout, ValuesAt | AfterFirings):
            raise RequestError(
                f"the rate of '{reaction.id}' at an averaged or interpolated state is not the "
                "average of the rate; ask for it at times"
            )
        if self.is_differentiable:
            raise GradientError(
                f"the rate of '{reaction.id}' is not differentiable through this call; use the "
                "species it depends on"
            )
        values: dict[str, Any] = dict(self.constants)
        values |= dict(zip(self.network.parameter_ids, self.parameters, strict=True))
        counts = {s: state[:, :, i] for i, s in enumerate(self.network.species_ids)}
        total = np.zeros(state.shape[:2])
        # From the propensities, so that the rate is the one that was simulated.
        for channel in lower(self.network).channels:
            if channel.reaction == reaction.id:
                sign = 1.0 if channel.id == reaction.id else -1.0
                total += sign * evaluate(channel.propensity, {**values, **counts})
        return total / self.network.items_per_extent

    def _refuse_failed(self) -> None:
        if self.is_differentiable:
            return
        failed = int((np.asarray(self.outcomes) > Outcome.ABSORBED).sum())
        if failed:
            raise StatisticsError(
                f"{failed} of {len(self.outcomes)} trajectories failed and would bias a "
                "statistic; see `outcomes`, or use `without_failures()` on purpose"
            )
