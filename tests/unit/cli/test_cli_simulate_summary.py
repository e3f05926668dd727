"""`sbmlgrad simulate --summary`: statistics instead of trajectories."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil

import numpy as np
import pytest
from networks import MODELS, ROOT
from small_networks import HEAD

import sbmlgrad as sg
from sbmlgrad.cli import simulate_results as results
from sbmlgrad.cli.app import BAD_INPUT, FAILED, OK, run

DIMER = str(MODELS / "dimerization.xml")
SIMULATE = ["simulate", DIMER, "--times", "0:2:4", "--seed", "7"]
MANY = [*SIMULATE, "--trajectories", "500", "--summary"]
TIMES = np.linspace(0.0, 2.0, 5)
STATISTICS = ["mean", "variance", "standard_error", "minimum", "maximum"]
QUANTILES = ["quantile_0.05", "quantile_0.25", "quantile_0.5", "quantile_0.75", "quantile_0.95"]


def rows_of(path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def column(rows, symbol: str, name: str) -> list[float]:
    return [float(row[name]) for row in rows if row["symbol"] == symbol]


def test_statistics_are_those_of_the_trajectories(tmp_path, capsys) -> None:
    out = tmp_path / "x.csv"
    assert run([*MANY, "--out", str(out), "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    cells = sg.simulate(sg.load(DIMER), times=TIMES, trajectories=500, seed=7)
    assert said["trajectories"] == 500
    assert said["seed"] == 7
    assert said["firings"] == cells.firings.sum()
    rows = rows_of(out)
    assert list(rows[0]) == [
        *("symbol", "quantity", "time"),
        *STATISTICS,
        *QUANTILES,
        "quantile_half_width",
    ]
    assert [(row["symbol"], row["quantity"]) for row in rows[::5]] == [(s, "counts") for s in "ABC"]
    for symbol in "ABC":
        counts = cells.values(symbol, "counts")
        assert column(rows, symbol, "time") == TIMES.tolist()
        mean, variance = counts.mean(axis=0), counts.var(axis=0, ddof=1)
        np.testing.assert_allclose(column(rows, symbol, "mean"), mean, rtol=1e-12)
        np.testing.assert_allclose(column(rows, symbol, "variance"), variance, rtol=1e-9)
        np.testing.assert_allclose(
            column(rows, symbol, "standard_error"), np.sqrt(variance / 500), rtol=1e-9
        )
        assert column(rows, symbol, "minimum") == counts.min(axis=0).tolist()
        assert column(rows, symbol, "maximum") == counts.max(axis=0).tolist()
        for name in QUANTILES:
            share = float(name.removeprefix("quantile_"))
            exact = np.quantile(counts, share, axis=0, method="inverted_cdf")
            assert column(rows, symbol, name) == exact.tolist()
        assert not any(column(rows, symbol, "quantile_half_width"))


def test_symbols_mean_what_they_mean_in_the_model(tmp_path) -> None:
    model = tmp_path / "m.ant"
    model.write_text(
        "unit substance = item; unit extent = item; compartment c = 2; species X in c;\n"
        "X = 50; k = 0.5; J0: X => ; k*X*c; total := 3*X;\n"
    )
    out, chosen = tmp_path / "x.csv", tmp_path / "y.csv"
    arguments = ["simulate", str(model), "--times", "0:2:1", "--trajectories", "40", "--seed", "1"]
    arguments += ["--summary", "--quiet"]
    assert run([*arguments, "--out", str(out)]) == OK
    assert run([*arguments, "--symbols", "total,X,k", "--out", str(chosen)]) == OK
    counts, rows = rows_of(out), rows_of(chosen)
    assert [row["symbol"] for row in rows[::2]] == ["total", "X", "k"]
    assert {row["quantity"] for row in rows} == {""}
    assert column(counts, "X", "mean")[0] == 100.0
    concentration = np.array(column(counts, "X", "mean")) / 2.0
    np.testing.assert_allclose(column(rows, "X", "mean"), concentration, rtol=1e-12)
    np.testing.assert_allclose(column(rows, "total", "mean"), 3.0 * concentration, rtol=1e-12)
    assert column(rows, "k", "maximum") == [0.5, 0.5]


def test_whatever_events_change_has_rows_too(tmp_path) -> None:
    model = tmp_path / "m.ant"
    model.write_text(HEAD + "substanceOnly species X in cell; X = 3; on = 0; J0: X => ; X;\n")
    with model.open("a") as file:
        file.write("E1: at time >= 1: on = 2;\n")
    out = tmp_path / "x.csv"
    arguments = ["simulate", str(model), "--times", "0:2:2", "--trajectories", "3", "--summary"]
    assert run([*arguments, "--out", str(out), "--quiet"]) == OK
    assert column(rows_of(out), "on", "mean") == [0.0, 2.0, 2.0]


def test_netcdf_has_the_same_numbers(tmp_path) -> None:
    import xarray

    table, netcdf = tmp_path / "x.csv", tmp_path / "x.nc"
    for out in (table, netcdf):
        assert run([*MANY, "--symbols", "C,A", "--quiet", "--out", str(out)]) == OK
    rows = rows_of(table)
    with xarray.open_dataset(netcdf) as found:
        assert found["symbol"].values.tolist() == ["C", "A"]
        assert dict(found.sizes) == {"symbol": 2, "time": 5, "share": 5}
        assert found.attrs["seed"] == 7
        for name in STATISTICS:
            assert found[name].sel(symbol="A").values.tolist() == column(rows, "A", name)
        for share, name in zip(found["share"].values, QUANTILES, strict=True):
            values = found["quantile"].sel(symbol="C", share=share).values
            assert values.tolist() == column(rows, "C", name)


def test_no_ensemble_is_made_whole(tmp_path, monkeypatch) -> None:
    """Of a job of four parts, a quarter is in memory at a time."""
    from sbmlgrad import summary

    sizes = []
    simulate = summary.simulate

    def watched(*args, **options):
        cells = simulate(*args, **options)
        sizes.append(cells.states[0].shape[0])
        return cells

    monkeypatch.setattr(summary, "LARGEST_PART", 125)
    monkeypatch.setattr(summary, "simulate", watched)
    assert run([*MANY, "--quiet", "--out", str(tmp_path / "x.csv")]) == OK
    assert sizes == [125] * 4


def test_wide_quantiles_come_with_what_they_may_be_off(tmp_path, monkeypatch) -> None:
    from sbmlgrad.cli import simulate as cli_simulate

    out = tmp_path / "x.csv"
    assert run([*MANY, "--quiet", "--out", str(out)]) == OK
    exact = rows_of(out)
    monkeypatch.setattr(cli_simulate, "BINS", 4)
    assert run([*MANY, "--quiet", "--out", str(out)]) == OK
    rows = rows_of(out)
    widths = np.array(column(rows, "C", "quantile_half_width"))
    assert widths[-1] > 0.0
    for name in QUANTILES:
        off = np.abs(np.subtract(column(rows, "C", name), column(exact, "C", name)))
        assert (off <= widths).all()


def test_values_without_an_order_have_no_quantiles_and_that_is_said(tmp_path, capsys) -> None:
    model = tmp_path / "m.ant"
    model.write_text(
        HEAD + "substanceOnly species X in cell; X = 1; J0: X => ; X; inverse := 1/X;\n"
    )
    out = tmp_path / "x.csv"
    arguments = ["simulate", str(model), "--times", "0:50:1", "--trajectories", "9", "--summary"]
    arguments += ["--seed", "1", "--symbols", "X,inverse", "--out", str(out)]
    assert run(arguments) == OK
    assert "without quantiles: inverse, which" in capsys.readouterr().out
    rows = rows_of(out)
    assert [row["quantile_0.5"] for row in rows] == ["1.0", "0.0", "", ""]
    assert [row["mean"] for row in rows] == ["1.0", "0.0", "1.0", ""]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trajectories", "1"], "two or more --trajectories"),
        (["--engine", "ode"], "one solution"),
        (["--symbols", "A,q"], "'q'"),
        (["--seed", "-1"], "seed"),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["run", "dry"])
def test_what_has_no_statistics_is_refused(options, message, dry, tmp_path, capsys) -> None:
    out = tmp_path / "x.csv"
    assert run([*MANY, "--out", str(out), *options, *dry]) == BAD_INPUT
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_failed_trajectories_fail_the_command(tmp_path, capsys) -> None:
    model = tmp_path / "m.ant"
    model.write_text(HEAD + "substanceOnly species X in cell; X = 2; J0: X => ; 1;\n")
    out = tmp_path / "x.csv"
    arguments = ["simulate", str(model), "--times", "0:90:2", "--trajectories", "3", "--summary"]
    assert run([*arguments, "--out", str(out)]) == FAILED
    assert "negative" in capsys.readouterr().err
    assert not out.exists()


def test_shares_are_the_columns_of_the_table() -> None:
    assert [f"quantile_{share}" for share in results.SHARES] == QUANTILES


def test_the_guide_keeps_its_word(tmp_path, monkeypatch) -> None:
    page = (ROOT / "docs" / "how-to" / "large-ensembles.md").read_text(encoding="utf-8")
    commands = re.findall(r"^sbmlgrad (simulate .*)$", page, re.MULTILINE)
    assert len(commands) == 2
    shutil.copy(MODELS / "telegraph.xml", tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in commands:
        assert run([*shlex.split(command), "--quiet"]) == OK
    described = page.split("| column |")[1].split("\n\n")[0]
    for name in rows_of(tmp_path / "cells.csv")[0]:
        assert f"`{name}`" in described or f"`{name.removeprefix('quantile')}`" in described
