"""`sbmlgrad check` over many files: processes, summary, what ends a process, interruption."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
from judges import faulty, hostile, interrupted
from networks import MODELS
from sbml_text import model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.cli.app import BAD_INPUT, NO, OK, run
from sbmlgrad.cli.check import EXACT, ONLY_ODE, REFUSED, check_file, check_files, expand, verdict

DIMER = MODELS / "dimerization.xml"


def decay(amount: float | None, rate: float | None = 1.0) -> str:
    """Return a decay with values that may be missing."""
    return model(
        reaction("J", "k*A", "A"), species=[species("A", amount)], parameters=[parameter("k", rate)]
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of four models, one in a folder of its own."""
    inner = tmp_path / "inner"
    inner.mkdir()
    shutil.copy(DIMER, inner / "good.xml")
    (tmp_path / "fraction.sbml").write_text(decay(1.5))
    (tmp_path / "broken.xml").write_text("<sbml>")
    (tmp_path / "missing.sbml").write_text(decay(3.0, None))
    (tmp_path / "notes.txt").write_text("no model")
    return tmp_path


def test_folders_and_patterns_are_expanded(folder: Path) -> None:
    found = expand([str(folder)])
    assert {Path(f).name for f in found} == {
        "good.xml",
        "fraction.sbml",
        "broken.xml",
        "missing.sbml",
    }
    assert expand([str(folder / "*.sbml"), str(folder / "missing.sbml")]) == [
        str(folder / "fraction.sbml"),
        str(folder / "missing.sbml"),
    ]
    assert expand([str(folder / "**" / "good.xml")]) == [str(folder / "inner" / "good.xml")]
    with pytest.raises(sg.SbmlGradError, match="no model file there"):
        expand([str(folder / "*.ant")])


def test_summary_counts_files_by_verdict_and_code(folder: Path, capsys) -> None:
    assert run(["check", str(folder), "--json", "--jobs", "2"]) == NO
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"files", "summary"}
    found = {Path(name).name: issues for name, issues in said["files"].items()}
    assert found["good.xml"] == []
    (issue,) = found["fraction.sbml"]
    assert set(issue) == {"severity", "code", "element", "line", "message", "advice", "blocks"}
    assert (issue["code"], issue["blocks"]) == ("non_integer_initial_count", ["ssa"])
    assert found["missing.sbml"][0]["blocks"] == ["ode", "ssa"]
    counts = said["summary"]
    assert (counts["files"], counts["simulated_exactly"]) == (4, 1)
    assert (counts["only_ode"], counts["refused"], counts["not_checked"]) == (1, 2, 0)
    assert counts["codes"]["non_integer_initial_count"] == {
        "errors": 1,
        "warnings": 0,
        "infos": 0,
        "issues": 1,
        "files": 1,
    }
    assert run(["check", str(folder)]) == NO
    text = capsys.readouterr().out
    assert "cannot be simulated exactly, but by ODE" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["1", "only", "by", "ODE"] in rows
    assert ["1", "1", "non_integer_initial_count", "error"] in rows


def test_a_file_alone_has_no_summary(capsys) -> None:
    assert run(["check", str(DIMER)]) == OK
    assert "refused" not in capsys.readouterr().out


def test_what_ends_a_process_is_one_issue(folder: Path) -> None:
    for name in ("crash", "exit", "hang"):
        shutil.copy(DIMER, folder / f"{name}.xml")
    names = [str(folder / f"{n}.xml") for n in ("crash", "exit", "hang")] + [str(DIMER)]
    checked = check_files(names, {}, jobs=2, limit=15.0, judge=hostile)
    assert list(checked.issues) == names
    crash, gone, hang, good = checked.issues.values()
    assert [i.code for i in (*crash, *gone, *hang)] == ["unreadable_file"] * 3
    assert "SIGSEGV" in crash[0].message
    assert "status 7" in gone[0].message
    assert "15 seconds" in hang[0].message
    assert good == ()


@pytest.fixture
def ctrl_c_interrupts():
    """Let Ctrl-C raise: a process that a shell started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_interrupts")
def test_interruption_keeps_what_is_there(folder: Path) -> None:
    shutil.copy(DIMER, folder / "stop.xml")
    names = [str(DIMER), str(folder / "stop.xml"), str(folder / "broken.xml")]
    checked = check_files(names, {}, jobs=1, judge=interrupted)
    assert checked.is_interrupted
    assert checked.asked == 3
    assert checked.issues == {names[0]: ()}


def test_a_defect_of_the_check_is_an_issue(monkeypatch) -> None:
    monkeypatch.setattr("sbmlgrad.api.check", faulty)
    (issue,) = check_file(str(DIMER), {})
    assert issue.code == "check_failed"
    assert "ZeroDivisionError" in issue.message
    assert verdict((issue,)) == REFUSED


def test_wrong_options_are_not_the_fault_of_files(capsys) -> None:
    assert run(["check", str(DIMER), "--substance", "gram"]) == BAD_INPUT
    assert "substance='gram'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("amount", "law", "expected"),
    [(5.0, "k*A", EXACT), (5.5, "k*A", ONLY_ODE), (None, "k*A", REFUSED), (5.0, "h*A", REFUSED)],
)
def test_verdict_is_what_simulation_does(amount, law, expected) -> None:
    text = model(
        reaction("J", law, "A"),
        species=[species("A", amount)],
        parameters=[parameter("k", 1.0), parameter("h", None)],
    )
    assert verdict(sg.check(text)) == expected
    network = sg.load(text)
    done = 0
    for engine in (sg.engines.Native(1, kernel="table"), sg.engines.ODE()):
        try:
            sg.simulate(network, times=[0.1], engine=engine)
        except sg.SbmlGradError:
            continue
        done += 1
    assert done == {EXACT: 2, ONLY_ODE: 1, REFUSED: 0}[expected]
