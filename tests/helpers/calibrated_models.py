"""Models with made-up results of a fit, as the writer gets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.provenance import Estimate, Provenance

RECORD = Provenance(
    fitted={},
    data_name="data.csv",
    data_sha256="0" * 64,
    seed=1,
    estimator="TwoSidedAdjoint()",
    loss=0.03,
    loss_standard_error=0.001,
    software={"sbmlgrad": "0.1.0"},
    finished="2026-01-01T00:00:00+00:00",
)


def calibrated(
    model: ReactionNetwork, estimates: Mapping[str, Estimate], **record: object
) -> ReactionNetwork:
    """Return a model with the values of estimates and a record of the fit."""
    known = {p.id for p in model.parameters}
    values = {name: e.value for name, e in estimates.items() if name in known}
    provenance = replace(RECORD, fitted=values, estimates=dict(estimates), **record)
    return replace(model.with_parameters(values), provenance=provenance)


def all_parameters(model: ReactionNetwork) -> dict[str, Estimate]:
    """Return an estimate with every kind of uncertainty for each parameter that is not zero."""
    values = dict(zip(model.parameter_ids, model.parameter_values.tolist(), strict=True))
    return {
        name: Estimate(
            value * 1.001,
            standard_error=abs(value) / 7,
            interval=(value - abs(value) / 3, value + abs(value) / 3),
            level=0.9,
        )
        for name, value in values.items()
        if value
    }
