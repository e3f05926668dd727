"""Statistics of an ensemble whose trajectories were not kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines import sketch
from sbmlgrad.engines.accumulate import Moments
from sbmlgrad.engines.base import Outcome
from sbmlgrad.engines.quantiles import Quantile, quantile_of
from sbmlgrad.engines.readouts import Readout, ValuesAt
from sbmlgrad.engines.sketch import Sketch
from sbmlgrad.engines.summary_merge import merged
from sbmlgrad.engines.summary_tables import as_dataframe, as_xarray
from sbmlgrad.engines.tracked import Tracked, divided, stands_for
from sbmlgrad.errors import RequestError, StatisticsError
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import as_number, whole

if TYPE_CHECKING:
    import pandas
    import xarray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EnsembleSummary:
    """What `summarise` returns: statistics at times, without the trajectories.

    It does not depend on the size of the parts that trajectories were simulated in, on threads, or
    on how a batch was split and merged: means, variances and covariances are exact sums, rounded
    once, and histograms depend on the values alone.

    Attributes:
        network: what was simulated.
        readouts: what was observed; `times`, where given, is the first.
        asked: what tables show, as pairs of an id and a quantity.
        tracked: what statistics are kept of.
        moments: sums, one per readout.
        sketches: histograms, one per readout.
        parameters: values used, float64 [parameter].
        constants: id → value of other symbols than parameters that never change.
        initial: species or compartment id → value at time 0, of those that were given.
        outcomes: how many trajectories ended how, by `engines.Outcome`.
        firings: firings simulated, of all trajectories together.
        seed: key of the random streams.
        parts: numbers of the trajectories as ranges (first, one after the last), in order.
        engine: what sampled them, and why it was chosen if it was not named.
        versions: software name → version.
        is_conditional: whether failed trajectories are left out on purpose.
    """

    network: ReactionNetwork
    readouts: tuple[Readout, ...]
    asked: tuple[tuple[str, str | None], ...]
    tracked: tuple[Tracked, ...]
    moments: tuple[Moments, ...]
    sketches: tuple[Sketch, ...]
    parameters: FloatArray
    constants: Mapping[str, Any]
    initial: Mapping[str, float]
    outcomes: Mapping[Outcome, int]
    firings: int
    seed: int
    parts: tuple[tuple[int, int], ...]
    engine: str
    versions: Mapping[str, str] = field(default_factory=dict)
    is_conditional: bool = False

    @property
    def times(self) -> FloatArray:
        """Requested output times, float64 [time]."""
        readout = self.readouts[0]
        if not isinstance(readout, ValuesAt):
            raise RequestError("this summary was made without `times`; see its readouts")
        return readout.points

    @property
    def trajectories(self) -> int:
        """How many trajectories were simulated, failed ones included."""
        return sum(self.outcomes.values())

    def mean(
        self, id: str, quantity: str | None = None, *, readout: Readout | None = None
    ) -> FloatArray:
        """Return the mean over trajectories, float64 [point].

        Args:
            id: a symbol that statistics were kept of.
            quantity: as in `Ensemble.values`.
            readout: which readout; the first one by default.

        Raises:
            ParameterError: no such symbol.
            RequestError: statistics of it were not kept.
            StatisticsError: trajectories failed.
        """
        place, column, divisors = self._column(id, quantity, readout)
        return divided(self.moments[place].mean(column), divisors)

    def variance(
        self, id: str, quantity: str | None = None, *, readout: Readout | None = None
    ) -> FloatArray:
        """Return the sample variance (n - 1), float64 [point]; arguments as in `mean`."""
        place, column, divisors = self._column(id, quantity, readout)
        self._need_two(f"variance of '{id}'")
        return divided(self.moments[place].covariance(column), divisors + divisors)

    def standard_error(
        self, id: str, quantity: str | None = None, *, readout: Readout | None = None
    ) -> FloatArray:
        """Return the standard error of the mean, float64 [point]; arguments as in `mean`."""
        variance = self.variance(id, quantity, readout=readout)
        return np.sqrt(variance / self.moments[0].count)

    def covariance(
        self,
        id: str,
        other: str,
        quantity: str | None = None,
        *,
        readout: Readout | None = None,
    ) -> FloatArray:
        """Return the sample covariance (n - 1) of two symbols at each point, float64 [point].

        Args:
            id: a symbol that statistics were kept of.
            other: another one, or the same.
            quantity: for both; as in `Ensemble.values`.
            readout: which readout; the first one by default.

        Raises:
            RequestError: covariances were not kept.
        """
        place, one, divisors = self._column(id, quantity, readout)
        _, two, more = self._column(other, quantity, readout)
        self._need_two(f"covariance of '{id}' and '{other}'")
        moments = self.moments[place]
        wanted = np.array([min(one, two), max(one, two)])
        found = np.flatnonzero((moments.pairs == wanted).all(axis=1))
        if not found.size:
            raise RequestError(
                f"covariance of '{id}' and '{other}': covariances were not kept; they are by "
                "default for a few symbols only, so call summarise(..., covariances=True)"
            )
        return divided(moments.covariance(int(found[0])), divisors + more)

    def minimum(
        self, id: str, quantity: str | None = None, *, readout: Readout | None = None
    ) -> FloatArray:
        """Return the smallest value, float64 [point]; arguments as in `mean`."""
        return self._extreme(id, quantity, readout, "minimum")

    def maximum(
        self, id: str, quantity: str | None = None, *, readout: Readout | None = None
    ) -> FloatArray:
        """Return the largest value, float64 [point]; arguments as in `mean`."""
        return self._extreme(id, quantity, readout, "maximum")

    def quantile(
        self, id: str, q: float, quantity: str | None = None, *, readout: Readout | None = None
    ) -> Quantile:
        """Return a quantile, with the guaranteed half-width of the answer.

        The quantile is the smallest value of which at least the share q of all trajectories have
        at most that: the inverse of the empirical distribution function, with no interpolation. It
        is exact for molecules as long as their range fits into the bins, and for q = 0 and q = 1.

        Args:
            id: a symbol that statistics were kept of.
            q: from 0 to 1, taken as the decimal number that it prints as.
            quantity: as in `Ensemble.values`.
            readout: which readout; the first one by default.
        """
        place, column, divisors = self._column(id, quantity, readout)
        share = as_number("q", q)
        if not 0.0 <= share <= 1.0:
            raise RequestError(f"q={q!r}: give a number from 0 to 1")
        self._need_finite(id, place, column, slice(None))
        return quantile_of(self.sketches[place], column, share, divisors)

    def histogram(
        self,
        id: str,
        point: int,
        quantity: str | None = None,
        *,
        readout: Readout | None = None,
    ) -> tuple[FloatArray, NDArray[np.int64]]:
        """Return how many trajectories have which values at one point.

        Args:
            id: a symbol that statistics were kept of.
            point: index of the time (or other point of the readout).
            quantity: as in `Ensemble.values`.
            readout: which readout; the first one by default.

        Returns:
            Edges, float64 [bin + 1], and counts, int64 [bin], from the bin of the smallest value to
            that of the largest. A value on an edge is in the bin to its right.
        """
        place, column, divisors = self._column(id, quantity, readout)
        size = len(self.sketches[place].minimum)
        index = whole("point", point, -size, size - 1) % size
        self._need_finite(id, place, column, index)
        first, counts = sketch.ordered(self.sketches[place], column, index)
        exponent = int(self.sketches[place].exponent[index, column])
        return divided(sketch.edges(first, len(counts), exponent), divisors), counts

    def without_failures(self) -> EnsembleSummary:
        """Return the summary of the trajectories that did not fail, for `on_failure="mark"`.

        Its statistics are conditional on not failing.
        """
        return replace(self, is_conditional=True)

    def merge(self, other: EnsembleSummary) -> EnsembleSummary:
        """Return the summary of the trajectories of both, which must be different ones.

        It is the same as if all of them had been summarised at once.

        Raises:
            RequestError: they are of different models, parameters, times, seeds or settings, or
                have trajectories in common.
        """
        return merged(self, other)

    def to_xarray(self) -> xarray.Dataset:
        """Return means, variances, standard errors and extremes as an xarray dataset.

        Dims are (symbol, time); symbols are ids, with the quantity behind a colon where one was
        asked for. Seed, engine and versions are attributes.
        """
        return as_xarray(self)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the same as a long pandas table: symbol, quantity, time, then the statistics."""
        return as_dataframe(self)

    def _column(
        self, id: Any, quantity: Any, readout: Readout | None
    ) -> tuple[int, int, tuple[float, ...]]:
        """Return the place of the readout, the column of a symbol, and what divides its values."""
        failed = sum(n for outcome, n in self.outcomes.items() if not outcome.is_normal)
        if failed and not self.is_conditional:
            raise StatisticsError(
                f"{failed} of {self.trajectories} trajectories failed and would bias a statistic; "
                "see `outcomes`, or use `without_failures()` on purpose"
            )
        if not self.moments[0].count:
            raise StatisticsError("every trajectory failed; there is nothing to make statistics of")
        if readout is not None and readout not in self.readouts:
            raise RequestError(f"{readout} was not asked for; the readouts are {self.readouts}")
        place = 0 if readout is None else self.readouts.index(readout)
        wanted, divisors = stands_for(self.network, self.constants, id, quantity)
        if wanted not in self.tracked:
            what = f"'{id}'" if wanted.quantity is None else f"'{id}' as {wanted.quantity}"
            raise RequestError(
                f"statistics of {what} were not kept; name it in summarise(..., quantities=[...])"
            )
        return place, self.tracked.index(wanted), divisors

    def _extreme(
        self, id: str, quantity: str | None, readout: Readout | None, which: str
    ) -> FloatArray:
        place, column, divisors = self._column(id, quantity, readout)
        found = getattr(self.sketches[place], which)[:, column]
        bad = self.moments[place].not_finite[:, column] > 0
        return divided(np.where(bad, np.nan, found), divisors)

    def _need_two(self, what: str) -> None:
        n = self.moments[0].count
        if n < 2:
            raise StatisticsError(
                f"{what}: at least two trajectories are needed, the summary has {n}"
            )

    def _need_finite(self, id: str, place: int, column: int, points: Any) -> None:
        bad = int(np.max(self.moments[place].not_finite[points, column], initial=0))
        if bad:
            raise StatisticsError(
                f"'{id}' is infinite or no number in {bad} trajectories at one time; such values "
                "have no order, so no quantile or histogram can be given"
            )
