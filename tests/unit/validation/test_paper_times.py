"""Times of the paper's benchmarks: every row is a command that exists, and what is read of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from networks import ROOT

sys.path.append(str(ROOT / "validation" / "benchmarks" / "paper"))

import paper_times
from paper_times import ROWS, Row, Took, page, timed

SCRIPT = """
import argparse, json
parser = argparse.ArgumentParser()
for name in ("modes", "seeds", "threads", "records", "out"):
    parser.add_argument(f"--{name}", required=True)
given = parser.parse_args()
if given.modes == "broken":
    raise SystemExit("it broke")
with open(given.records, "w") as file:
    for seconds in (1.5, 2.0):
        print(json.dumps({"seconds": seconds, "data_seconds": 0.25}), file=file)
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "one.py").write_text(SCRIPT)
    monkeypatch.setattr(paper_times, "HERE", tmp_path)
    return "one.py"


def test_times_are_those_of_the_records_and_of_the_command(script: str) -> None:
    took = timed(Row("a run", "112 s", (script, "--modes", "whole")), 2)
    assert took.fit_s == 3.5
    assert took.cpu_s > 0.0
    # Python does not start in less.
    assert took.wall_s > 0.005


def test_a_command_that_fails_is_no_time(
    script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Row("a run", "112 s", (script, "--modes", "broken"))
    monkeypatch.setattr(paper_times, "ROWS", {"broken": broken})
    assert paper_times.main([]) == 1
    assert "a run: failed" in (told := capsys.readouterr().err)
    assert "it broke" in told
    for wrong in (["--rows", "unknown"], ["--rows", "", "--write"]):
        with pytest.raises(SystemExit):
            paper_times.main(wrong)


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_a_command_of_this_folder(name: str) -> None:
    path, option, *_ = ROWS[name].command
    text = (ROOT / "validation" / "benchmarks" / "paper" / path).read_text(encoding="utf-8")
    assert f'"{option}"' in text
    for needed in ("--seeds", "--threads", "--records", "--out"):
        assert f'"{needed}"' in text


def test_page() -> None:
    text = page([(ROWS["segments"], Took(61.2, 70.4, 75.0))], 2)
    assert "| oscillator, segments | about 19 min | 61 | 70 | 75 |" in text
    assert "2 threads" in text
