"""Real data: published case counts, read as they were published."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from measured import rows_of

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.measurements import load_measurements

EPIDEMICS = Path(__file__).parents[5] / "shared" / "data" / "epidemics"


def published(name: str) -> Path:
    """Return a file of the published counts, which are no part of the project and may be absent."""
    path = EPIDEMICS / name
    if not path.exists():
        # Others' data are never committed. Shipped counts of one of these epidemics are read by the
        # tests of `models/data`, so that the reader is tested without them too.
        pytest.skip(f"published data, not shipped: shared/data/epidemics/{name} is absent")
    return path


@pytest.mark.parametrize(
    ("name", "options", "observables", "unit", "first", "count"),
    [
        ("common_cold_tristan_da_cunha_1967.csv", {}, ("I", "R"), "day", ("I", 1.0, 1.0), None),
        ("eyam_plague_1666.csv", {}, ("S", "I", "R"), "", ("S", 0.0, 254.0), None),
        (
            "influenza_england_1978_school.csv",
            {"observables": ["in_bed", "convalescent"]},
            ("in_bed", "convalescent"),
            "day",
            ("in_bed", 1.0, 3.0),
            28,
        ),
    ],
)
def test_epidemics(name, options, observables, unit, first, count):
    path = published(name)
    m = load_measurements(path, **options)
    assert m.observables == observables
    assert m.time_unit == unit
    assert rows_of(m)[0][:3] == first
    lines = path.read_text().split()
    assert len(m) == (count or (len(lines) - 1) * len(observables))
    total = math.fsum(m.value)
    column = lines[0].split(",").index(observables[-1])
    expected = math.fsum(float(line.split(",")[column]) for line in lines[1:])
    seen = m.observed(observables[-1])
    assert math.fsum(seen.mean) == expected
    assert total >= expected


def test_a_column_of_dates_is_refused_with_a_way_out():
    path = published("influenza_england_1978_school.csv")
    with pytest.raises(DataError) as caught:
        load_measurements(path)
    for fragment in ("column B ('date')", "1978-01-22", "rows 3-15", "mapping={'date': None}"):
        assert fragment in str(caught.value)
