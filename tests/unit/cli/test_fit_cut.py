"""A fit that is killed or interrupted goes on to the result of one that never was."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fit_command import write_inputs

import sbmlgrad as sg
from sbmlgrad.cli.exit import INTERRUPTED, OK
from sbmlgrad.cli.fit import CHECKPOINT
from sbmlgrad.cli.fit_uncertainty import RECORDS

EPOCHS, REFITS = 16, 10
FIT = ["m.ant", "d.csv", "--free", "a,mu", "--starts", "2", "--seed", "5", "--threads", "1"]
FIT += ["--epochs", str(EPOCHS), "--trajectories", "300"]
FIT += ["--uncertainty", "bootstrap", "--repeats", str(REFITS)]

#: Seconds after which a process that does not come where it should is given up.
PATIENCE = 900.0


def command(out: Path, *more: str) -> list[str]:
    # Kept after every epoch, so that a fast machine can be cut between the first and the last; the
    # page is not drawn, which takes long and has tests of its own.
    module = "from sbmlgrad.fit.descent import checkpoint as c"
    kept = f"{module}; c.INTERVAL_S = c.SHARE = 0.0"
    page = "from sbmlgrad.fit.report import folder; folder.report_html = lambda result: ''"
    code = f"import sys; {kept}; {page}; from sbmlgrad.cli import main; sys.exit(main())"
    return [sys.executable, "-c", code, "fit", *FIT, *more, "--out", str(out)]


def finished(out: Path, *more: str) -> None:
    done = subprocess.run(
        command(out, *more), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == OK, done.stderr


def epochs_in(path: Path) -> int:
    """Return the epochs in a checkpoint; 0 where there is none yet."""
    if not path.exists():
        return 0
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
        return len(json.loads(kept["told"].tobytes())["epochs"])


def lines_in(path: Path) -> int:
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def cut(out: Path, how: signal.Signals, reached, *more: str) -> tuple[int, str]:
    """Start a fit, send it a signal once its files say that it is under way; return how it ends."""
    with subprocess.Popen(command(out, *more), stderr=subprocess.PIPE, text=True) as process:
        try:
            end = time.monotonic() + PATIENCE
            while not reached():
                assert process.poll() is None, "the fit was over before it could be cut"
                assert time.monotonic() < end
                time.sleep(0.02)
            process.send_signal(how)
            _, said = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    return process.returncode, said


def undated(out: Path) -> dict[str, object]:
    """Return what a folder says, but for the dates at which it was said."""
    result = sg.load_result(out / "fit.nc")
    date = re.compile(rb"\d{4}-\d\d-\d\d(T| at )[\d:.]+(Z| UTC|[+-]\d\d:\d\d)")
    return {
        # What a kill left of a file being written has a name of its own, and is not read.
        "names": sorted(p.name for p in out.iterdir() if not p.name.startswith(".")),
        "samples": result.uncertainty.details["samples"].tobytes(),
        "parameters": (out / "parameters.tsv").read_bytes(),
        "model": date.sub(b"", (out / "calibrated.xml").read_bytes()),
        "losses": result.loss_history.tobytes(),
        "errors": result.error_history.tobytes(),
        "course": result.parameter_history.tobytes(),
        "loss": (result.loss, result.start_loss, result.loss_standard_error),
        "starts": [(s.fate, s.loss, s.epochs) for s in result.starts],
        "curves": [curve.mean.tobytes() for curve in result.curves.values()],
    }


@pytest.fixture(scope="module", autouse=True)
def _folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("files"))
        write_inputs()
        yield


@pytest.fixture(scope="module")
def whole(_folder) -> Path:
    """The folder of a fit with bootstrap that was never cut."""
    finished(Path("whole"))
    return Path("whole")


def is_half_way(out: Path) -> bool:
    return epochs_in(out / CHECKPOINT) >= 0.4 * EPOCHS


def test_killed_in_the_descent_and_in_the_bootstrap(whole) -> None:
    """Twice: near the middle of the epochs, then among the refits."""
    out = Path("killed")
    code, _ = cut(out, signal.SIGKILL, lambda: is_half_way(out))
    assert code == -signal.SIGKILL
    assert epochs_in(out / CHECKPOINT) < EPOCHS
    assert [path.name for path in out.iterdir() if not path.name.startswith(".")] == [CHECKPOINT]

    records = out / RECORDS
    code, _ = cut(out, signal.SIGKILL, lambda: lines_in(records) >= 3, "--resume")
    assert code == -signal.SIGKILL
    assert 3 <= lines_in(records) < REFITS
    kept = records.read_bytes().rpartition(b"\n")[0]
    # A line that is cut off, as by a full disk, is done again.
    records.write_bytes(kept + b"\n" + kept[:20])

    finished(out, "--resume")
    assert undated(out) == undated(whole)


def test_interrupted_it_keeps_the_best_and_says_how_to_go_on() -> None:
    out = Path("interrupted")
    code, said = cut(out, signal.SIGINT, lambda: is_half_way(out))
    assert code == INTERRUPTED
    assert "--resume goes on from there" in said
    assert "Traceback" not in said
    reached = epochs_in(out / CHECKPOINT)
    assert reached < EPOCHS
    partial = sg.load_result(out / "fit.nc")
    assert partial.interrupted
    assert len(partial.loss_history) == reached
    assert not any(path.name.startswith(".") for path in out.iterdir())
