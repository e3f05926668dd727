"""Asking a simulator in another process: every way of ending comes back as its own word."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest
from peers.protocol import FOLDER, OURS, PEERS, Peer, ask, missing, run_limited
from peers.worker import Request

from sbmlgrad import load, save

HEAD = f"""
import os, sys, time
sys.path.insert(0, {str(FOLDER)!r})
import numpy as np
from worker import RefusedError, serve
def software():
    return "7"
def prepare(request):
    def sample():
        shape = (request.trajectories, request.steps + 1, len(request.species))
"""
RUN = "        return np.full(shape, request.seed)\n    return sample\nserve(software, prepare)\n"
REQUEST = Request("model.xml", ("X", "Y"), 2.0, 4, 3, 11)

ENDINGS = {
    "ran": "",
    "error": "        raise ValueError('no luck')\n",
    "refused": "        raise RefusedError('not of this kind')\n",
    "crash": "        os.abort()\n",
    "timeout": "        time.sleep(60)\n",
}


def peer(folder: Path, text: str) -> Peer:
    script = folder / "planted_peer.py"
    script.write_text(text, encoding="utf-8")
    return Peer("planted", "planted", script, "")


@pytest.mark.parametrize("status", ENDINGS)
def test_every_ending_has_its_word(tmp_path: Path, status: str) -> None:
    limit = 2.0 if status == "timeout" else 60.0
    answer = ask(peer(tmp_path, HEAD + ENDINGS[status] + RUN), REQUEST, limit_s=limit)
    assert answer.status == status, answer.message
    assert (answer.values is not None) == (status == "ran")
    assert (answer.message == "") == (status == "ran")
    if answer.values is not None:
        assert answer.values.shape == (3, 5, 2)
        assert (answer.values == 11).all()
        assert answer.version == "7"


def test_a_refusal_while_loading_says_why(tmp_path: Path) -> None:
    text = HEAD.replace("    def sample", "    raise KeyError('X')\n    def sample") + RUN
    answer = ask(peer(tmp_path, text), REQUEST, limit_s=60.0)
    assert (answer.status, answer.message) == ("refused", "KeyError: 'X'")


def test_values_of_a_wrong_shape_are_an_error(tmp_path: Path) -> None:
    answer = ask(peer(tmp_path, HEAD + RUN.replace("shape", "(3, 5)")), REQUEST, limit_s=60.0)
    assert answer.status == "error"
    assert "(3, 5, 2)" in answer.message


def test_a_child_of_a_timed_out_peer_is_ended_too(tmp_path: Path) -> None:
    mark = tmp_path / "child-lived"
    child = f"import time; time.sleep(3); open({str(mark)!r}, 'w').close()"
    start = "        import subprocess\n        subprocess.run([sys.executable, '-c', CHILD])\n"
    text = f"CHILD = {child!r}\n" + HEAD + start + RUN
    assert ask(peer(tmp_path, text), REQUEST, limit_s=1.5).status == "timeout"
    wait = "import time; time.sleep(3)"
    import subprocess

    subprocess.run([sys.executable, "-c", wait], check=True)
    assert not mark.exists()


def test_a_peer_that_is_not_installed_is_told_from_one_that_is(tmp_path: Path) -> None:
    text = HEAD.replace('return "7"', "import a_package_that_is_not_there") + RUN
    reason = missing(peer(tmp_path, text), sys.executable)
    assert reason is not None
    assert "a_package_that_is_not_there" in reason
    refuses = HEAD.replace("    def sample", "    raise OSError\n    def sample") + RUN
    assert missing(peer(tmp_path, refuses), sys.executable) is None


@pytest.fixture(scope="module")
def decay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = "substanceOnly species X in c, Y in c; compartment c = 1; X = 40; Y = 0; k = 0.5;"
    model = load(f"unit substance = item; unit extent = item; {text} J0: X => Y; k*X;")
    path = tmp_path_factory.mktemp("models") / "decay.xml"
    save(model, path)
    return path


@pytest.mark.parametrize("name", ["sbmlgrad", *PEERS])
def test_simulators_that_are_installed_sample_a_decay(decay: Path, name: str) -> None:
    asked = OURS if name == OURS.name else PEERS[name]
    reason = missing(asked, sys.executable)
    # Another simulator is no part of the set-up; sbmlgrad itself always has to be there.
    if reason is not None:
        assert asked is not OURS, reason
        pytest.skip(reason)
    n = 400
    answer = ask(asked, Request(str(decay), ("X", "Y"), 2.0, 2, n, 5), limit_s=240.0)
    assert answer.values is not None, answer.message
    assert (answer.values.sum(axis=2) == 40.0).all()
    survive = np.exp(-0.5 * np.array([1.0, 2.0]))
    x = answer.values[:, 1:, 0]
    z = (x.mean(axis=0) - 40 * survive) / np.sqrt(40 * survive * (1 - survive) / n)
    y = np.sqrt(n / 2) * (x.var(axis=0) / (40 * survive * (1 - survive)) - 1.0)
    # Four statistics of a right simulator: above 5 with a chance below 1e-5.
    assert np.abs([z, y]).max() < 5.0
    again = ask(asked, Request(str(decay), ("X", "Y"), 2.0, 2, 2, 5), limit_s=240.0)
    other = ask(asked, Request(str(decay), ("X", "Y"), 2.0, 2, 2, 6), limit_s=240.0)
    assert again.values is not None
    assert other.values is not None
    assert not np.array_equal(again.values, other.values)


def test_a_simulator_that_a_peer_started_dies_with_it(tmp_path: Path) -> None:
    # In a session of its own, as the compiled simulator of GillesPy2 is.
    child = "import subprocess, sys, time; time.sleep(60)"
    text = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)\n"
        "open('child', 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    ended, _ = run_limited([sys.executable, "-c", text], tmp_path, 3.0)
    assert not ended
    pid = (tmp_path / "child").read_text()
    # The signal is sent by now; what is left is for the kernel to do.
    for _ in range(100):
        if not _is_running(pid):
            return
        time.sleep(0.1)
    pytest.fail(f"process {pid} outlived the peer that started it")


def _is_running(pid: str) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
    # Dead, and not yet collected by the process that inherited it.
    return "(zombie)" not in status
