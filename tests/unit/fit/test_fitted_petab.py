"""The results folder holds the problem that was fitted, what it predicts, and plots of both."""

from __future__ import annotations

import csv
import warnings
from dataclasses import replace

import numpy as np
import pytest
from fit_results import usual_result
from petab.v2.lint import ValidationIssueSeverity, lint_problem

from sbmlgrad.errors import WriteError
from sbmlgrad.fit.fitted_petab import check_petab_folder, fitted_petab, petab_refusal
from sbmlgrad.fit.report import write_results
from sbmlgrad.io.petab import load_petab, write_petab
from sbmlgrad.model.expression import Apply, Number

#: What reads back from the files as it was; settings hold plots besides.
PARTS = ("network", "measurements", "parameters", "name")


def rounded(result):
    """Return a result with a function that PEtab has no word for."""
    observables = tuple(
        replace(o, formula=Apply("floor", (o.formula,))) for o in result.problem.observables
    )
    return replace(result, problem=replace(result.problem, observables=observables))


def test_the_problem_reads_back_with_plots_of_it(tmp_path) -> None:
    result = usual_result()
    assert tmp_path / "petab" in write_results(result, tmp_path)
    again = load_petab(tmp_path / "petab" / "problem.yaml")
    for part in PARTS:
        assert getattr(again, part) == getattr(result.problem, part), part
    # An observable without a base is its own.
    assert again.observables == tuple(replace(o, base=o.id) for o in result.problem.observables)
    assert [(e.id, e.name) for e in again.experiments] == [("conc0", "dose 0"), ("conc1", "dose 1")]
    doses = [dict(e.periods[0].values) for e in again.experiments]
    assert doses == [{"drug": Number(1.0)}, {"drug": Number(2.0)}]
    assert again.settings.items() >= result.problem.settings.items()
    added = again.settings.keys() - result.problem.settings.keys()
    assert added == {"visualization", "datasets"}
    with warnings.catch_warnings():
        # The library uses what its own dependencies call deprecated.
        warnings.simplefilter("ignore")
        found = lint_problem(tmp_path / "petab" / "problem.yaml")
    assert [str(i) for i in found if i.level > ValidationIssueSeverity.WARNING] == []


def test_predictions_stand_beside_the_measurements(tmp_path) -> None:
    result = usual_result()
    write_results(result, tmp_path)
    tables = {}
    for name in ("measurements", "simulations"):
        text = (tmp_path / "petab" / f"{name}.tsv").read_text("utf-8")
        tables[name] = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    assert result.predictions is not None
    simulated = [float(row.pop("simulation")) for row in tables["simulations"]]
    np.testing.assert_array_equal(simulated, result.predictions.mean)
    measured = [float(row.pop("measurement")) for row in tables["measurements"]]
    np.testing.assert_array_equal(measured, result.problem.measurements.value)
    assert tables["simulations"] == tables["measurements"]
    files = fitted_petab(replace(result, predictions=None))
    assert "simulations.tsv" not in files
    assert list(files)[-1] == "problem.yaml"


def test_a_problem_that_petab_cannot_say_is_left_out_and_the_reason_known(tmp_path) -> None:
    result = usual_result()
    write_results(result, tmp_path)
    (tmp_path / "petab" / "mine.txt").write_text("a note")
    assert petab_refusal(result) == ""
    assert "floor" in petab_refusal(rounded(result))
    # Nothing of the earlier fit is left to be taken for this one's, and nothing else is touched.
    assert tmp_path / "petab" not in write_results(rounded(result), tmp_path)
    assert [p.name for p in (tmp_path / "petab").iterdir()] == ["mine.txt"]
    (tmp_path / "petab" / "mine.txt").unlink()
    write_results(rounded(result), tmp_path)
    assert not (tmp_path / "petab").exists()
    assert (tmp_path / "fit.nc").exists()


def test_a_problem_that_comes_from_no_fit_is_not_overwritten(tmp_path) -> None:
    result = usual_result()
    path = write_petab(result.problem, tmp_path / "petab")
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    with pytest.raises(WriteError, match=r"comes from no fit, since there is no fit\.nc"):
        write_results(result, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["petab"]
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before
    with pytest.raises(WriteError, match="choose another folder"):
        check_petab_folder(tmp_path, [path])
    (tmp_path / "fit.nc").write_bytes(b"")
    check_petab_folder(tmp_path)
    with pytest.raises(WriteError, match="lies in"):
        check_petab_folder(tmp_path, [path])
    check_petab_folder(tmp_path / "other", [path])
