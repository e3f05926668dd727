"""What was read from a file of measurements, as plain rows."""

from __future__ import annotations


def rows_of(m):
    """Return the measurements as (observable, time, value, replicate, condition)."""
    names = (m.observables[i] for i in m.observable_index)
    columns = (names, m.time.tolist(), m.value.tolist(), m.replicate, m.condition)
    return list(zip(*columns, strict=True))
