"""Real exports, compared with the tidy tables that their publishers made of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from sbmlgrad.io.tables.measurements import load_measurements

LAB = Path(__file__).parents[5] / "shared" / "data" / "lab"


def published(name: str) -> Path:
    path = LAB / name
    if not path.exists():
        # Exports that `test_layouts` writes itself, of other sizes and wells, cover the code too.
        pytest.skip(f"published data, not shipped: shared/data/lab/{name} is absent")
    return path


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").splitlines()


def values_of(m):
    columns = zip(m.observable_index, m.time.tolist(), m.condition, m.value.tolist(), strict=True)
    return {(m.observables[i], round(t, 6), c): v for i, t, c, v in columns}


def test_tecan():
    m = load_measurements(published("Tecan_210115.xlsx"), layout="tecan")
    found = values_of(m)
    tidy = list(csv.DictReader(lines_of(published("Tecan_210115.csv"))))
    assert len(tidy) == 96 * 52
    for row in tidy:
        # The tidy table has hours, and only the first 52 of the 89 cycles of this label.
        key = f"OD {row['Well']}", round(3600.0 * float(row["Time"]), 6), ""
        assert found[key] == float(row["OD"])
    # One cell, of label Red in well A6, is empty.
    assert len(m) == 96 * (89 + 89 + 88) - 1
    assert any("411 cycles of OD that were planned and not measured" in note for note in m.notes)


def test_bmg():
    m = load_measurements(published("bmg_lumistar_omega.xlsx"), layout="bmg", sheet="all")
    found = values_of(m)
    sheets = {"Plate 1": "Table All Cycles", "Plate 2": "Table All Cycles (2)"}
    tidy = csv.DictReader(lines_of(published("bmg_lumistar_omega_tidy.csv")))
    compared = 0
    for row in tidy:
        for channel, column in (("535 A", "A535"), ("475-30 B", "B475")):
            key = f"{channel} {row['well']}", float(row["time"]), sheets[row["ID3"]]
            assert found[key] == float(row[column])
            compared += 1
    assert compared == len(m) == 2 * 2 * 96 * 21


def test_biotek():
    path = published("gcplyr_Rep1.csv")
    m = load_measurements(path, layout="biotek", time_unit="s")
    found = values_of(m)
    # Read once more by hand: the header is in row 29.
    rows = list(csv.reader(lines_of(path)))[28:]
    assert rows[0][1:4] == ["Time", "T° 600", "A1"]
    compared = 0
    for row in rows[1:]:
        hours, minutes, seconds = map(int, row[1].split(":"))
        for well, value in zip(rows[0][3:], row[3:], strict=True):
            time = 3600.0 * hours + 60.0 * minutes + seconds
            assert found[f"600 {well}", time, ""] == float(value)
            compared += 1
    assert compared == len(m) == 96 * 97
