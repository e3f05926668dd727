"""A visualisation table is made where a problem has none, and PEtab's own plotting takes it."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from networks import antimony
from petab import v1
from petab.v1.visualize.lint import validate_visualization_df

from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.io.petab import (
    load_petab,
    petab_files,
    simulation_bytes,
    with_visualization,
    write_petab,
)
from sbmlgrad.io.petab.visualizations import TABLE
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.problem import Experiment, Observable, Period, Problem, ProblemParameter

SIX = np.array([0.5, 0.5, 1.0, 2.0, 1.0, 2.0])


def problem_of(**changed) -> Problem:
    """Return two experiments, an observable called like a species, and two variants of one."""
    problem = Problem(
        network=antimony("species A in cell; A = 100; k = 0.5; J: A -> ; k*A;"),
        observables=(
            Observable("A", formula_of("A"), Noise("normal", formula_of("1")), "substance", "nM"),
            Observable("dim__1", formula_of("2*A"), Noise("log-normal", formula_of("0.1")),
                       base="dim"),
            Observable("dim__2", formula_of("3*A"), Noise("log-normal", formula_of("0.1")),
                       base="dim"),
        ),
        measurements=Measurements(
            ("A", "dim__1", "dim__2"), SIX, np.array([0, 0, 0, 0, 1, 2]),
            np.array([70.0, 72.0, 50.0, 30.0, 4.0, 2.0]), ("1", "2", "1", "1", "1", "1"),
            ("low", "low", "low", "high", "low", "high"), time_unit="h", units=("nM", "", ""),
        ),
        parameters=(ProblemParameter("k", 0.5, 0.01, 10.0),),
        experiments=(Experiment("low", name="low dose"),
                     Experiment("high", (Period(0.0, {"A": formula_of("200")}),))),
        name="decay",
    )  # fmt: skip
    return replace(problem, **changed)


def rows_of(problem: Problem) -> list[dict[str, str]]:
    shown = with_visualization(problem)
    tables = shown.settings["visualization"]
    assert isinstance(tables, Mapping)
    (text,) = tables.values()
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def datasets_of(problem: Problem) -> tuple[str, ...]:
    found = problem.settings["datasets"]
    assert isinstance(found, tuple)
    return found


def test_every_observable_has_a_plot_with_a_line_for_each_experiment() -> None:
    rows = rows_of(problem_of())
    lines = [(r["plotId"], r["yValues"], r["datasetId"], r["legendEntry"]) for r in rows]
    assert lines == [
        ("plot_observed_A", "observed_A", "observed_A_low", "low dose"),
        ("plot_observed_A", "observed_A", "observed_A_high", "high"),
        ("plot_dim", "dim__1", "dim__1_low", "low dose"),
        ("plot_dim", "dim__2", "dim__2_high", "high"),
    ]
    assert {r["xLabel"] for r in rows} == {"time [h]"}
    assert [r["yLabel"] for r in rows] == ["substance [nM]"] * 2 + ["dim"] * 2
    assert [r["yScale"] for r in rows] == ["lin"] * 2 + ["log10"] * 2


def test_measurements_belong_to_the_lines(tmp_path) -> None:
    shown = with_visualization(problem_of())
    m = shown.measurements
    for id, condition, dataset in zip(
        m.observable_index, m.condition, datasets_of(shown), strict=True
    ):
        written = {"A": "observed_A"}.get(m.observables[id], m.observables[id])
        assert dataset == f"{written}_{condition}"
    again = load_petab(write_petab(shown, tmp_path))
    assert again.settings == shown.settings
    assert again.measurements == shown.measurements


def test_data_sets_that_are_given_stay() -> None:
    given = problem_of(settings={"datasets": ("d1", "", "d1", "observed_A_low", "", "d1")})
    found = datasets_of(with_visualization(given))
    made = dict(zip(datasets_of(given), found, strict=True))
    assert (made["d1"], made["observed_A_low"]) == ("d1", "observed_A_low")
    # The name that would be made is taken by another line.
    assert "" not in found
    assert len(set(found)) == 4


def test_tables_of_the_problem_itself_are_not_replaced() -> None:
    own = problem_of(settings={"visualization": {"mine.tsv": "plotId\np\n"}})
    assert with_visualization(own) is own


def in_words_of_version_1(table: bytes) -> pd.DataFrame:
    """Return a table as PEtab's plotting, which is that of version 1, knows it."""
    frame = pd.read_csv(io.BytesIO(table), sep="\t")
    return frame.rename(columns={"experimentId": "simulationConditionId"})


def test_the_checks_of_petab_find_nothing(caplog) -> None:
    files = petab_files(with_visualization(problem_of()))
    table = pd.read_csv(io.BytesIO(files[TABLE]), sep="\t")
    problem = v1.Problem(
        measurement_df=in_words_of_version_1(files["measurements.tsv"]),
        observable_df=pd.read_csv(io.BytesIO(files["observables.tsv"]), sep="\t", index_col=0),
        condition_df=pd.DataFrame(index=["low", "high"]),
        visualization_df=table,
    )
    assert validate_visualization_df(problem) is False, caplog.text
    # The same checks do find a table that is wrong.
    table["yValues"] = "nothing"
    assert validate_visualization_df(problem) is True


def test_the_plotting_of_petab_draws_data_and_predictions(tmp_path) -> None:
    import matplotlib.pyplot as plt
    from petab.v1.visualize import plot_with_vis_spec

    shown = with_visualization(problem_of())
    predicted = shown.measurements.value * 1.1
    files = petab_files(shown)
    with warnings.catch_warnings():
        # The library uses what its own dependencies call deprecated.
        warnings.simplefilter("ignore")
        axes = plot_with_vis_spec(
            pd.read_csv(io.BytesIO(files[TABLE]), sep="\t"),
            pd.DataFrame(index=["low", "high"]),
            in_words_of_version_1(files["measurements.tsv"]),
            in_words_of_version_1(simulation_bytes(shown, predicted)),
        )
    assert axes is not None
    assert set(axes) == {"plot_observed_A", "plot_dim"}
    drawn = axes["plot_observed_A"]
    assert drawn.get_xlabel() == "time [h]"
    heights = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in drawn.lines])
    # Predictions of the single measurements, and the mean of the two replicates.
    for value in (71.0, 50.0, 30.0, 78.1, 55.0, 33.0):
        assert np.isclose(heights, value).any(), value
    plt.close("all")
