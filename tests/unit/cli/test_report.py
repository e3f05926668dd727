"""`sbmlgrad report`: the folder of a saved fit, without fitting."""

from __future__ import annotations

import json

from fit_results import usual_result

from sbmlgrad.cli.app import BAD_INPUT, OK, run
from sbmlgrad.fit.report import FILES


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
