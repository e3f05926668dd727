"""A model and a sheet of measurements become a folder of PEtab files that others can read."""

from __future__ import annotations

import warnings

import pytest
from networks import antimony
from petab.v2.lint import ValidationIssueSeverity, lint_problem

import sbmlgrad as sg
from sbmlgrad.cli.convert import PetabConversion, write_petab_folder
from sbmlgrad.errors import DataError, ParameterError, WriteError
from sbmlgrad.io.petab import load_petab

MODEL = (
    "species A in cell, B in cell; A = 100; B = 0; k = 0.5; d = 0.1; J: A -> B; k*A; D: B -> ; d*B;"
)
SHEET = "time [h],A,B\n0,100,0\n1,61,36\n1,59,38\n2,36.5,55\n"


@pytest.fixture
def files(tmp_path):
    sg.save(antimony(MODEL), tmp_path / "model.xml")
    (tmp_path / "data.csv").write_text(SHEET)

    def conversion(**options):
        return PetabConversion(tmp_path / "model.xml", tmp_path / "data.csv", **options)

    return conversion


def test_sheets_become_problems(files, tmp_path) -> None:
    out = tmp_path / "out"
    what, assumed = write_petab_folder(files(free=["k"], bounds={"k": (0.01, 10.0)}), out)
    assert what == "PEtab 2, 8 measurements of 2 observables, 1 parameters to estimate"
    assert len(assumed) == 2
    problem = load_petab(out / "problem.yaml")
    assert [(p.id, p.lower, p.upper) for p in problem.free] == [("k", 0.01, 10.0)]
    assert [o.id for o in problem.observables] == ["A", "B"]
    m = problem.measurements
    assert m.value.tolist() == [100.0, 61.0, 59.0, 36.5, 0.0, 36.0, 38.0, 55.0]
    assert (m.time_unit, m.condition[0]) == ("h", "")
    with warnings.catch_warnings():
        # The library uses what its own dependencies call deprecated.
        warnings.simplefilter("ignore")
        found = lint_problem(out / "problem.yaml")
    assert [str(i) for i in found if i.level > ValidationIssueSeverity.WARNING] == []


def test_columns_can_be_mapped_and_left_out(files, tmp_path) -> None:
    write_petab_folder(files(free=["k"], mapping={"A": "B", "B": None}), tmp_path / "out")
    problem = load_petab(tmp_path / "out" / "problem.yaml")
    assert problem.measurements.observables == ("B",)


def test_labels_of_conditions_become_ids_and_names(files, tmp_path) -> None:
    text = (
        "time,observable,value,condition\n0,A,100,10 nM Epo\n1,A,60,10 nM Epo\n2,A,35,10 nM Epo\n"
    )
    conversion = files(free=["k"])
    conversion.data.write_text(text)
    write_petab_folder(conversion, tmp_path / "out")
    problem = load_petab(tmp_path / "out" / "problem.yaml")
    assert [(e.id, e.name) for e in problem.experiments] == [("_10_nM_Epo", "10 nM Epo")]
    assert set(problem.measurements.condition) == {"_10_nM_Epo"}


def test_dry_runs_write_nothing(files, tmp_path) -> None:
    what, _ = write_petab_folder(files(free=["k"]), tmp_path / "out", dry_run=True)
    assert what.startswith("PEtab 2")
    assert not (tmp_path / "out").exists()


def test_what_does_not_fit_together_is_refused_before_anything_is_written(files, tmp_path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ParameterError, match="kk"):
        write_petab_folder(files(free=["kk"]), out)
    with pytest.raises(DataError, match="nothing_such"):
        write_petab_folder(files(mapping={"A": "nothing_such"}), out)
    conversion = files(free=["k"])
    with pytest.raises(WriteError, match="is a file"):
        write_petab_folder(conversion, conversion.data)
    assert not out.exists()
