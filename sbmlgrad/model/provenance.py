"""How the values of a calibrated network came about: what the writer annotates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Provenance:
    """The record that a fit leaves in the network it returns.

    Attributes:
        fitted: parameter id → fitted value.
        data_name: file name of the measurements, without folders.
        data_sha256: hash of the measurement file's bytes, hexadecimal.
        seed: seed of the random streams.
        estimator: the gradient estimator, as written in code.
        loss: loss of the fitted values.
        loss_standard_error: its Monte-Carlo standard error.
        software: name → version.
        finished: ISO 8601 date and time in UTC.
        settings: every other setting of the fit, as text.
    """

    fitted: Mapping[str, float]
    data_name: str
    data_sha256: str
    seed: int
    estimator: str
    loss: float
    loss_standard_error: float
    software: Mapping[str, str]
    finished: str
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
