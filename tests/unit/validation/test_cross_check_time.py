"""The benchmark of cross-checks: its table; it fails where a command is late or disagrees."""

from __future__ import annotations

import sys

import pytest
from networks import MODELS, ROOT

sys.path.append(str(ROOT / "validation" / "benchmarks"))

import cross_check
from cross_check import Run

COMPARISON = {
    "times": [0.0, 5.0],
    "trajectories": 200,
    "tests": 30,
    "detectable": [{"mean": 0.01, "sd": 0.2}, {"mean": 0.031, "sd": "inf"}],
}


@pytest.mark.parametrize(
    ("codes", "walls", "ended"),
    [((0, 0), (20.0, 9.0), 0), ((0, 0), (61.0, 9.0), 1), ((0, 1), (20.0, 9.0), 1)],
)
def test_late_commands_and_disagreements_end_with_1(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    codes: tuple[int, int],
    walls: tuple[float, float],
    ended: int,
) -> None:
    runs = [
        Run(code, {"comparisons": [COMPARISON]}, wall, 7.0)
        for code, wall in zip(codes, walls, strict=True)
    ]
    monkeypatch.setattr(cross_check, "timed", lambda *_: runs.pop(0))
    assert cross_check.main([str(MODELS / "sir.xml")]) == ended
    line = capsys.readouterr().out
    note = " (ended with 1)" if 1 in codes else ""
    cells = f"sir | 5 | 200 | 30{note} | 1 % to 3.1 % | 20 % | {walls[0]:.0f} | 9 | 7"
    assert line.strip() == cells


def test_the_command_that_is_timed_works(tmp_path) -> None:
    done = cross_check.timed(MODELS / "immigration_death.xml", "fsp", 1, str(tmp_path))
    assert done.code == 0
    assert done.found["comparisons"][0]["tests"] > 0
    assert done.wall_s > 0.1
    assert cross_check.timed(tmp_path / "none.xml", "fsp", 1, str(tmp_path)).found == {}
