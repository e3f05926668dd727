"""Distances between simulated and measured samples, as losses for whole distributions."""

from __future__ import annotations

from sbmlgrad.distances.ensembles import distance
from sbmlgrad.distances.samples import (
    energy_distance,
    maximum_mean_discrepancy,
    wasserstein_distance,
)

__all__ = ["distance", "energy_distance", "maximum_mean_discrepancy", "wasserstein_distance"]
