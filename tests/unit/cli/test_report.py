"""`sbmlgrad report`: the folder of a saved fit, without fitting."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from fit_results import usual_result

from sbmlgrad.cli.app import BAD_INPUT, OK, run
from sbmlgrad.fit.report import FILES
from sbmlgrad.model.noise import Noise


def test_a_saved_fit_is_reported(tmp_path, capsys) -> None:
    usual_result().save(tmp_path / "fit.nc")
    out = tmp_path / "out"
    assert run(["report", str(tmp_path / "fit.nc"), "--out", str(out), "--json"]) == OK
    told = json.loads(capsys.readouterr().out)
    assert told["values"] == dict(usual_result().values)
    assert [p.rsplit("/", 1)[-1] for p in told["files"]] == list(FILES)
    assert sorted(p.name for p in out.iterdir()) == sorted(FILES)
    again = tmp_path / "again"
    assert run(["report", str(out / "fit.nc"), "--out", str(again), "--dry-run"]) == OK
    assert "would write" in capsys.readouterr().out
    assert not again.exists()


def test_what_is_no_fit_is_refused(tmp_path, capsys) -> None:
    (tmp_path / "fit.nc").write_text("no fit")
    code = run(["report", str(tmp_path / "fit.nc"), "--out", str(tmp_path / "out")])
    assert code == BAD_INPUT
    assert "no netCDF/HDF5 file with a fit in it" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("more", [[], ["--json"], ["--dry-run"], ["--quiet"]])
def test_it_says_why_there_is_no_petab_problem(more, tmp_path, capsys) -> None:
    usual = usual_result()
    counted = replace(usual.problem.observables[0], noise=Noise("poisson"))
    problem = replace(usual.problem, observables=(counted, *usual.problem.observables[1:]))
    out = tmp_path / "out"
    for result in (replace(usual, problem=problem), usual):
        result.save(tmp_path / "fit.nc")
        assert run(["report", str(tmp_path / "fit.nc"), "--out", str(out), *more]) == OK
        told = capsys.readouterr().err
        said = "there is no PEtab problem in the results: observable 'y0': PEtab has no poisson"
        assert (said in told) is (result is not usual and "--quiet" not in more), told
        assert (out / "petab").exists() is (result is usual and "--dry-run" not in more)
