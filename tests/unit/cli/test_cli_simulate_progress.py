"""`sbmlgrad simulate` on a terminal: a bar that moves, silence, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from networks import MODELS

from sbmlgrad.cli.app import INTERRUPTED, OK, run

DIMER = str(MODELS / "dimerization.xml")
SIMULATE = ["simulate", DIMER, "--times", "0:1:2", "--trajectories", "3", "--seed", "1"]
#: What is started in the background inherits that Ctrl-C is ignored.
CHILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from sbmlgrad.cli.app import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("options", [[], ["--summary"]], ids=["trajectories", "summary"])
def test_ctrl_c_ends_a_long_job(options, tmp_path) -> None:
    import pty

    out = tmp_path / "x.csv"
    ours, theirs = pty.openpty()
    # Hours of work, which only Ctrl-C ends.
    arguments = [str(MODELS / "telegraph.xml"), "--times", "0:3e8:6000", "--trajectories", "50"]
    arguments += ["--kernel", "table", "--out", str(out), *options]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, "simulate", *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "100"},
    ) as child:
        os.close(theirs)
        shown = b""
        try:
            while not re.search(rb"[^0-9]0/50", shown):
                shown += os.read(ours, 4096)
            child.send_signal(signal.SIGINT)
            # A terminal that nobody reads would stop the child.
            with suppress(OSError):
                while more := os.read(ours, 4096):
                    shown += more
            said, _ = child.communicate(timeout=300)
        finally:
            child.kill()
        os.close(ours)
    assert child.returncode == INTERRUPTED
    assert said == b""
    assert f"interrupted; nothing was written to {out}".encode() in shown
    assert b"Traceback" not in shown
    assert not list(tmp_path.iterdir())


class Bar:
    """Takes down what `progress_bar` would be told."""

    def __init__(self) -> None:
        self.told: list[tuple[float, int]] = []

    def __call__(self, done: float, total: int) -> None:
        self.told.append((done, total))


@pytest.mark.parametrize("kernel", ["table", "lockstep", "tree"])
def test_few_long_trajectories_count_in_parts(kernel, monkeypatch) -> None:
    """Four trajectories are one piece of work; the bar moves before it is done."""
    import sbmlgrad as sg
    from sbmlgrad.engines import blocks

    monkeypatch.setattr(blocks, "wait", _waiting_less(blocks.wait))
    bar, model = Bar(), sg.load(MODELS / "telegraph.xml")
    times = [100.0 * i for i in range(1, 4001)]
    engine = sg.engines.Native(kernel=kernel, threads=1)
    sg.simulate(model, times=times, trajectories=4, seed=1, engine=engine, progress=bar)
    assert bar.told[-1] == (4, 4)
    assert any(0 < done < 4 for done, _ in bar.told)
    assert bar.told == sorted(bar.told)


def _waiting_less(wait):
    return lambda pending, timeout, return_when: wait(pending, 0.001, return_when)


@pytest.mark.parametrize(
    ("options", "is_seen"), [([], True), (["--quiet"], False), (["--json"], False)]
)
@pytest.mark.parametrize("kind", [[], ["--summary"]], ids=["trajectories", "summary"])
def test_a_terminal_sees_the_bar_unless_silence_is_wanted(
    options, is_seen, kind, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run([*SIMULATE, "--out", str(tmp_path / "x.csv"), *kind, *options]) == OK
    captured = capsys.readouterr()
    assert ("simulating" in captured.err) == is_seen
    assert is_seen or captured.err == ""
    assert options != ["--quiet"] or captured.out == ""


@pytest.mark.parametrize("kind", [[], ["--summary"]], ids=["trajectories", "summary"])
def test_ctrl_c_leaves_the_file_that_was_there(kind, tmp_path, monkeypatch, capsys) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "x.csv"
    out.write_text("before")
    monkeypatch.setattr("sbmlgrad.engines.native.Native.sample", stopped)
    assert run([*SIMULATE, "--out", str(out), "--json", *kind]) == INTERRUPTED
    captured = capsys.readouterr()
    assert captured.err == f"interrupted; nothing was written to {out}\n"
    assert captured.out == ""
    assert out.read_text() == "before"
