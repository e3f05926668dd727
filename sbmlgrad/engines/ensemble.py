"""The result of a simulation: an ensemble of trajectories and its statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines import statistics
from sbmlgrad.engines.asked_formulas import Asked
from sbmlgrad.engines.base import Outcome
from sbmlgrad.engines.batch import part_of, refuse_batch
from sbmlgrad.engines.exports import as_dataframe, as_xarray
from sbmlgrad.engines.plain_call import plain_call
from sbmlgrad.engines.readouts import Readout, ValuesAt
from sbmlgrad.engines.symbol_values import Extra, symbol_along_paths, whole_counts
from sbmlgrad.errors import GradientError, RequestError
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.expression import Expression
from sbmlgrad.model.network import ReactionNetwork

if TYPE_CHECKING:
    import pandas
    import xarray


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trajectories of one network under one set of parameters, or under a batch of sets.

    With a batch every array gets a leading axis over its sets: values are [set, trajectory, point]
    and statistics [set, point].

    Attributes:
        network: what was simulated.
        readouts: what was kept; `times`, where given, is the first.
        states: per readout [trajectory, point, column] as float64 array, or as TensorFlow tensor
            with a gradient. Columns are the state: counts of species (amounts in a deterministic
            simulation), then other symbols that events or rate rules change; after firings a last
            column holds the time.
        parameters: values used, float64 [parameter].
        constants: id → value of other symbols than parameters that never change; an array
            [set, 1, 1] where the sets of a batch differ in it.
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
        differentiator: the gradients of statistics, where states are tensors.
        stride: from the first trajectory of one parameter set of a batch to that of the next.
    """

    #: How statistics are taken, which a kind of ensemble may do in its own way.
    own_statistics: ClassVar[statistics.Statistics] = statistics.OF_VALUES

    network: ReactionNetwork
    readouts: tuple[Readout, ...]
    states: tuple[Any, ...]
    parameters: NDArray[np.float64]
    constants: Mapping[str, Any]
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
    differentiator: statistics.Differentiator | None = None
    stride: int = 0

    @property
    def is_batched(self) -> bool:
        """Whether several parameter sets were simulated, so that a set axis leads."""
        return len(self.states[0].shape) == 4

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
        return whole_counts(self)

    def values(
        self,
        id: Asked,
        quantity: str | None = None,
        *,
        readout: Readout | None = None,
        extra: Extra | None = None,
    ) -> Any:
        """Return a symbol, or a formula of symbols, along every trajectory.

        Args:
            id: any SBML symbol with a value; after firings also `time`. Or a formula
                (`model.expression.Expression`) of such symbols, each in what it means in the
                model's own mathematics, of the clock (`TIME`), and of symbols in `extra`.
            quantity: for species `"counts"` (items), `"amount"` (the model's substance units),
                `"concentration"` (substance / compartment size) or None: what the symbol means in
                the model's own mathematics. Ignored for other symbols, refused for formulas.
            readout: which readout; the first one by default.
            extra: id → value of symbols of a formula that are not in the model, such as a scale
                or an offset: a number, a tensor with a gradient where the ensemble has one, or,
                with a batch, one for each parameter set.

        Returns:
            float64 [trajectory, point]; a TensorFlow tensor with gradient for such parameters, and
            for those in `extra`.

        Raises:
            ParameterError: no such symbol, or one of `extra` that is in the model or no number.
            RequestError: no such quantity or readout, or averaged states, of which a formula that
                is not affine in the state cannot be known.
            GradientError: a value that jumps with the state, which no derivative along a
                trajectory sees.
        """
        return plain_call(symbol_along_paths, self, id, quantity, readout, extra)

    def mean(
        self,
        id: Asked,
        quantity: str | None = None,
        *,
        readout: Readout | None = None,
        extra: Extra | None = None,
    ) -> Any:
        """Return the mean over trajectories, float64 [point]; arguments as in `values`.

        Every estimator differentiates it; what jumps with the state, those of expectations.
        """
        return plain_call(self.own_statistics.mean, self, id, quantity, readout, extra)

    def variance(
        self,
        id: Asked,
        quantity: str | None = None,
        *,
        readout: Readout | None = None,
        extra: Extra | None = None,
    ) -> Any:
        """Return the sample variance (n - 1), float64 [point]; arguments as in `values`.

        Every estimator differentiates it; what jumps with the state, those of expectations.
        """
        return plain_call(self.own_statistics.covariance, self, id, id, quantity, readout, extra)

    def covariance(
        self,
        first: Asked,
        second: Asked,
        quantity: str | None = None,
        *,
        readout: Readout | None = None,
        extra: Extra | None = None,
    ) -> Any:
        """Return the sample covariance (n - 1) at each point, float64 [point].

        Every estimator differentiates it, as it does `variance`. Arguments as in `values`.
        """
        return plain_call(
            self.own_statistics.covariance, self, first, second, quantity, readout, extra
        )

    def expect(
        self,
        function: Callable[..., Any],
        *ids: Asked,
        quantity: str | None = None,
        readout: Readout | None = None,
        extra: Extra | None = None,
    ) -> Any:
        """Return the mean over trajectories of any function of values.

        Estimators of expectations (`FittedValue`, `CoupledDifference`, `ScoreFunction`,
        `FiniteDifference`) differentiate every function, also one that jumps, as long as it uses
        each trajectory by itself. Path estimators (`TwoSidedAdjoint`, `StraightThrough`) need a
        smooth one: the path derivative of a step is zero whatever the truth. A function without any
        derivative is refused there; the jumps of one that is smooth elsewhere go unseen.

        Args:
            function: takes the values of every id, each [trajectory, point] (with a batch of
                parameter sets [set, trajectory, point]), as arrays or, where the parameters are a
                tensor, as tensors, and is then made of TensorFlow operations. Gives
                [..., trajectory, point], or [..., trajectory] where it is about the whole
                trajectory.
            ids: symbols or formulas, as in `values`.
            quantity: as in `values`, for all of them.
            readout: as in `values`.
            extra: as in `values`.

        Returns:
            float64 [point] (or a single number), with a leading axis for a batch.

        Raises:
            GradientError: a path estimator, and a function without derivative; or a function that
                mixes trajectories, under an estimator of expectations or where an ensemble with
                gradients had to be simulated in parts for want of memory.
            RequestError: no ids, or a function that gives another shape.
        """
        return plain_call(
            self.own_statistics.expectation, self, function, ids, quantity, readout, extra
        )

    def probability(
        self,
        condition: Any,
        *ids: Asked,
        quantity: str | None = None,
        readout: Readout | None = None,
        extra: Extra | None = None,
    ) -> Any:
        """Return the share of trajectories that meet a condition at each point, float64 [point].

        Args:
            condition: `(id, lower, upper)` for lower <= value <= upper, None for an open end; or a
                function that tells true from false, of values of the ids that follow, as in
                `expect`.
            ids: symbols or formulas that a function takes.
            quantity: as in `values`.
            readout: as in `values`.
            extra: as in `values`.

        Raises:
            GradientError: path estimators, which see no jump; use `FittedValue`,
                `CoupledDifference`, `ScoreFunction` or `FiniteDifference`; or a function that mixes
                trajectories, as for `expect`.
            RequestError: a condition that is neither of both.
        """
        return plain_call(
            self.own_statistics.probability, self, condition, ids, quantity, readout, extra
        )

    def part(self, number: int) -> Ensemble:
        """Return the ensemble of one parameter set of a batch."""
        return part_of(self, number)

    def without_failures(self) -> Ensemble:
        """Return the ensemble without trajectories that failed, for `on_failure="mark"`.

        Statistics of what is left are conditional on not failing.
        """
        refuse_batch(self, "without_failures")
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
        refuse_batch(self, "to_xarray")
        return as_xarray(self)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the state as a long pandas table: trajectory, time, one column per symbol.

        Columns are those of `to_xarray`.
        """
        refuse_batch(self, "to_dataframe")
        return as_dataframe(self)

    def place(self, readout: Readout | None) -> int:
        """Return which of the readouts is meant; None means the first."""
        if readout is None:
            return 0
        if readout not in self.readouts:
            raise RequestError(f"{readout} was not asked for; the readouts are {self.readouts}")
        return self.readouts.index(readout)


def constants(network: ReactionNetwork, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return id → value of other symbols than parameters that never change."""
    state = {*network.species_ids, *network.variable_ids, *network.assignment_rules}
    elements = (*network.compartments, *network.species, *network.references)
    return {e.id: values[e.id] for e in elements if e.id not in state}
