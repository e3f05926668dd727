"""The results folder holds the problem that was fitted, what it predicts, and plots of both."""

from __future__ import annotations

import csv
import hashlib
import warnings
from dataclasses import replace

import numpy as np
import pytest
from fit_results import usual_result
from petab.v2.lint import ValidationIssueSeverity, lint_problem

from sbmlgrad.errors import WriteError
from sbmlgrad.fit import fitted_petab as fitted
from sbmlgrad.fit.fitted_petab import (
    check_petab_folder,
    fitted_petab,
    petab_refusal,
    write_fitted_petab,
)
from sbmlgrad.fit.report import FILES, check_results_folder, write_results
from sbmlgrad.fit.report.earlier import check_earlier
from sbmlgrad.io.files import write_atomically
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


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Draw no figures and no page, which take most of the time."""
    of = "sbmlgrad.fit.report.folder."
    monkeypatch.setattr(f"{of}report_html", lambda result: "<html/>")
    for name in ("plot_fit", "plot_history", "png_bytes"):
        monkeypatch.setattr(f"{of}{name}", lambda given: b"")


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


def test_labels_of_experiments_become_ids(tmp_path) -> None:
    result = usual_result()
    labels = {"conc0": "0.1 nM", "conc1": "0,1 nM"}
    problem = replace(
        result.problem,
        experiments=tuple(replace(e, id=labels[e.id], name="") for e in result.problem.experiments),
        measurements=replace(
            result.problem.measurements,
            condition=tuple(labels[c] for c in result.problem.measurements.condition),
        ),
    )
    labelled = replace(result, problem=problem, predictions=None)
    assert petab_refusal(labelled) == ""
    files = fitted_petab(labelled)
    rows = list(csv.DictReader(files["measurements.tsv"].decode().splitlines(), delimiter="\t"))
    assert {row["experimentId"] for row in rows} == {"_0_1_nM", "_0_1_nM_2"}
    datasets = {row["datasetId"] for row in rows}
    assert datasets == {f"y{i}_{e}" for i in range(3) for e in ("_0_1_nM", "_0_1_nM_2")}
    drawn = list(csv.DictReader(files["visualization.tsv"].decode().splitlines(), delimiter="\t"))
    assert {row["legendEntry"] for row in drawn} == set(labels.values())


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


def test_a_text_that_speaks_of_a_fit_is_no_result(tmp_path) -> None:
    (tmp_path / "fit.nc").write_text("my notes about the sbmlgrad fit of last week")
    with pytest.raises(WriteError, match=r"fit\.nc: is there already, in a folder that no fit"):
        check_earlier(tmp_path, ["fit.nc"])


def contents(folder):
    """Return path → bytes of everything below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_problem_that_comes_from_no_fit_is_not_overwritten(tmp_path) -> None:
    result = usual_result()
    path = write_petab(result.problem, tmp_path / "petab")
    result.save(tmp_path / "fit.nc")
    before = contents(tmp_path)
    # Also where there would be nothing to write, nothing may be removed.
    for one in (result, rounded(result)):
        with pytest.raises(WriteError, match=r"is there already and is not as a fit left it"):
            write_results(one, tmp_path)
        assert contents(tmp_path) == before
    with pytest.raises(WriteError, match="lies in"):
        check_petab_folder(tmp_path, [path])
    check_petab_folder(tmp_path / "other", [path])


@pytest.mark.parametrize("name", ["model.xml", "parameters.tsv", "measurements.tsv", "plots.tsv"])
def test_a_single_file_of_somebody_is_not_overwritten(tmp_path, name) -> None:
    """The YAML file of a problem may have any name, and lie in any folder."""
    result = usual_result()
    settings = {**result.problem.settings, "visualization": {"plots.tsv": "plotId\n"}}
    problem = replace(result.problem, settings=settings)
    (tmp_path / "petab").mkdir()
    (tmp_path / "petab" / name).write_text("mine")
    (tmp_path / "problem.yaml").write_text("mine")
    with pytest.raises(WriteError, match=f"{name}: is there already"):
        check_results_folder(tmp_path, [], problem)
    with pytest.raises(WriteError, match=f"{name}: is there already"):
        write_results(replace(result, problem=problem), tmp_path)
    assert contents(tmp_path) == {f"petab/{name}": b"mine", "problem.yaml": b"mine"}


@pytest.mark.parametrize("name", ["parameters.tsv"])
def test_files_of_a_fit_are_replaced_until_somebody_changes_them(tmp_path, name) -> None:
    result = usual_result()
    write_results(result, tmp_path)
    first = contents(tmp_path / "petab")
    write_results(result, tmp_path)
    assert contents(tmp_path / "petab") == first
    write_results(replace(result, predictions=None), tmp_path)
    second = contents(tmp_path / "petab")
    assert first.keys() - second.keys() == {"simulations.tsv"}
    write_results(result, tmp_path)
    with (tmp_path / "petab" / name).open("ab") as file:
        file.write(b"# mine\n")
    with pytest.raises(WriteError, match=f"{name}: is there already"):
        write_results(result, tmp_path)
    assert (tmp_path / "petab" / name).read_bytes() == first[name] + b"# mine\n"


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "again"])
def test_a_fit_that_is_cut_leaves_what_the_next_replaces(is_first, tmp_path, monkeypatch) -> None:
    """Cut before each of its files: a disk that is full, or Ctrl-C."""
    result = usual_result()
    files = fitted_petab(result)
    others = fitted_petab(
        replace(result, predictions=None, problem=replace(result.problem, name="other"))
    )
    whole = tmp_path / "whole"
    whole.mkdir()
    write_fitted_petab(files, whole)
    # A list of the files comes before them.
    for before in range(len(files) + 1):
        folder = tmp_path / str(before)
        folder.mkdir()
        if not is_first:
            write_fitted_petab(others, folder)
        left = iter(range(before))

        def cut(path, data, left=left):
            if next(left, None) is None:
                raise KeyboardInterrupt
            write_atomically(path, data)

        monkeypatch.setattr(fitted, "write_atomically", cut)
        with pytest.raises(KeyboardInterrupt):
            write_fitted_petab(files, folder)
        monkeypatch.undo()
        check_petab_folder(folder)
        write_fitted_petab(files, folder)
        assert contents(folder) == contents(whole)


def test_the_mark_of_results_does_not_travel_with_a_problem(tmp_path) -> None:
    """Else a folder to which somebody wrote such a problem would count as one of a fit."""
    result = usual_result()
    write_results(result, tmp_path)
    again = load_petab(tmp_path / "petab" / "problem.yaml")
    write_petab(again, tmp_path / "own" / "petab")
    with pytest.raises(WriteError, match="is there already"):
        write_results(result, tmp_path / "own")


def test_a_list_of_files_leads_out_of_no_folder(tmp_path) -> None:
    result = usual_result()
    write_results(result, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    yaml = tmp_path / "petab" / "problem.yaml"
    first, rest = yaml.read_bytes().split(b"\n", 1)
    digest = hashlib.sha256(b"mine").hexdigest().encode()
    yaml.write_bytes(first + b"\n# " + digest + b" ../notes.txt\n" + rest)
    write_results(rounded(result), tmp_path)
    assert not (tmp_path / "petab").exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_results_do_not_replace_what_the_fit_reads(tmp_path) -> None:
    problem = usual_result().problem
    read = tmp_path / "parameters.tsv"
    read.write_text("mine")
    link = tmp_path / "link.tsv"
    link.symlink_to(read)
    for path in (read, link):
        with pytest.raises(WriteError, match=r"replace it by a file called parameters\.tsv"):
            check_results_folder(tmp_path, [path], problem)
    check_results_folder(tmp_path / "other", [read], problem)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "petab").write_text("mine")
    with pytest.raises(WriteError, match="is no folder"):
        check_results_folder(tmp_path / "other", [read], problem)


@pytest.mark.parametrize("name", [*(n for n in FILES if n != "petab"), "uncertainty.jsonl"])
def test_files_beside_which_no_fit_has_written_are_not_replaced(tmp_path, name) -> None:
    result = usual_result()
    (tmp_path / name).write_text("mine")
    with pytest.raises(WriteError, match=f"{name}: is there already, in a folder that no fit"):
        check_results_folder(tmp_path, [], result.problem, ("uncertainty.jsonl",))
    if name != "uncertainty.jsonl":
        with pytest.raises(WriteError, match=f"{name}: is there already, in a folder that no fit"):
            write_results(result, tmp_path)
    assert contents(tmp_path) == {name: b"mine"}


@pytest.mark.parametrize(
    "record", ['{"software": {"other": "1"}}', "[" * 9999], ids=["other", "deep"]
)
def test_a_record_of_another_program_is_none_of_a_fit(tmp_path, record) -> None:
    (tmp_path / "provenance.json").write_text(record)
    with pytest.raises(WriteError, match=r"provenance\.json: is there already"):
        write_results(usual_result(), tmp_path)


def test_a_fit_that_was_saved_may_lie_in_its_results(tmp_path) -> None:
    result = usual_result()
    result.save(tmp_path / "fit.nc")
    (tmp_path / "notes.txt").write_text("mine")
    write_results(result, tmp_path)
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("before", range(5))
def test_results_that_are_cut_are_replaced_by_the_next(tmp_path, monkeypatch, before) -> None:
    result = usual_result()
    left = iter(range(before))

    def cut(path, data):
        if next(left, None) is None:
            raise KeyboardInterrupt
        write_atomically(path, data)

    with monkeypatch.context() as patch:
        patch.setattr("sbmlgrad.fit.report.folder.write_atomically", cut)
        with pytest.raises(KeyboardInterrupt):
            write_results(result, tmp_path)
    assert len(contents(tmp_path)) == before
    write_results(result, tmp_path)
    assert (tmp_path / "report.html").read_text() == "<html/>"
