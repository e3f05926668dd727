"""Workers that fail, crash, hang or leave nothing behind are reported with their last words."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import numpy as np
import pytest

from sbmlgrad.errors import RefereeError
from sbmlgrad.referees.process import run_worker
from sbmlgrad.referees.simulators import external


def worker(folder: Path, text: str) -> Path:
    path = folder / "worker.py"
    path.write_text(text, encoding="utf-8")
    return path


def run(path: Path, timeout_s: float = 60.0) -> dict:
    return run_worker(path, {"answer": 42}, b"<sbml/>", referee="judge", timeout_s=timeout_s)


def test_request_and_result_travel(tmp_path: Path) -> None:
    path = worker(
        tmp_path,
        "import json, sys, numpy\n"
        "request = json.load(open(sys.argv[1]))\n"
        "text = open(request['document']).read()\n"
        "numpy.savez(request['result'], answer=request['answer'], text=text)\n",
    )
    result = run(path)
    assert int(result["answer"]) == 42
    assert str(result["text"]) == "<sbml/>"


def test_failure(tmp_path: Path) -> None:
    path = worker(tmp_path, "raise ValueError('no such species')")
    with pytest.raises(RefereeError, match="'judge' failed with exit code 1") as caught:
        run(path)
    assert "ValueError: no such species" in str(caught.value)


def test_missing_module(tmp_path: Path) -> None:
    path = worker(tmp_path, "import a_package_that_does_not_exist")
    with pytest.raises(RefereeError, match="No module named 'a_package_that_does_not_exist'"):
        run(path)


@pytest.mark.skipif(os.name != "posix", reason="signals are told apart on POSIX only")
def test_crash(tmp_path: Path) -> None:
    path = worker(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(RefereeError, match=r"'judge' crashed: .* signal 11"):
        run(path)


def test_time_limit_stops_the_process(tmp_path: Path) -> None:
    trace = tmp_path / "beats"
    path = worker(
        tmp_path,
        "import sys, time\n"
        "print('started', file=sys.stderr, flush=True)\n"
        "while True:\n"
        f"    open({str(trace)!r}, 'a').write('x')\n"
        "    time.sleep(0.01)\n",
    )
    with pytest.raises(RefereeError, match="did not finish within 1 s") as caught:
        run(path, timeout_s=1.0)
    assert "timeout_s" in str(caught.value)
    assert "started" in str(caught.value)
    beats = trace.stat().st_size
    assert beats > 0
    time.sleep(0.3)
    assert trace.stat().st_size == beats


def test_no_result(tmp_path: Path) -> None:
    with pytest.raises(RefereeError, match=r"worker\.py\. It wrote no error message\.$"):
        run(worker(tmp_path, "pass"))


@pytest.mark.parametrize("content", [b"PK nonsense", b"PK\x03\x04broken", b""])
def test_a_result_that_is_no_array_file(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(RefereeError, match="without a readable result"):
        run(worker(tmp_path, f"open('result.npz', 'wb').write({content!r})"))


def test_a_result_whose_arrays_are_damaged(tmp_path: Path) -> None:
    path = worker(
        tmp_path,
        "import numpy\n"
        "numpy.savez_compressed('result.npz', answer=numpy.arange(1000))\n"
        "data = bytearray(open('result.npz', 'rb').read())\n"
        "data[200:230] = bytes(30)\n"
        "open('result.npz', 'wb').write(data)\n",
    )
    with pytest.raises(RefereeError, match="without a readable result"):
        run(path)


def test_a_result_that_lacks_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(tmp_path, "import numpy\nnumpy.savez('result.npz', counts=numpy.zeros((3, 1, 1)))")
    monkeypatch.setattr(external, "WORKERS", tmp_path)
    with pytest.raises(RefereeError, match=r"'judge' .* \(no version, settings"):
        external.sampled(
            "worker.py", {}, b"", ["A"], np.ones(1), 3, referee="judge", timeout_s=60.0, python=None
        )


def _runs(tag: str) -> bool:
    """Tell whether a process with this on its command line runs, a moment later at the latest."""
    for _ in range(50):
        lines = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                lines.append(file.read_bytes())
        if not any(line.startswith(b"sleep") and tag.encode() in line for line in lines):
            return False
        time.sleep(0.1)
    return True


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system lists no processes")
@pytest.mark.parametrize("end", ["time.sleep(100)", "os.abort()", "pass"])
def test_no_child_outlives_its_worker(end: str, tmp_path: Path) -> None:
    # Of a shell that has ended, so that the worker is no longer its ancestor.
    tag = f"{600 + os.getpid()}.{len(end)}"
    path = worker(
        tmp_path,
        "import os, subprocess, time\n"
        f"subprocess.Popen(['sh', '-c', 'sleep {tag} & exit 0']).wait()\n{end}\n",
    )
    with pytest.raises(RefereeError):
        run(path, timeout_s=3.0 if "sleep" in end else 60.0)
    assert not _runs(tag)


def test_workers_find_their_tools_though_the_path_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tools.py").write_text("answer = 7\n", encoding="utf-8")
    text = "import numpy, tools\nnumpy.savez('result.npz', answer=tools.answer)"
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    assert int(run(worker(tmp_path, text))["answer"]) == 7


def test_arrays_of_objects_are_not_unpickled(tmp_path: Path) -> None:
    path = worker(
        tmp_path,
        "import numpy\nnumpy.savez('result.npz', a=numpy.array([{}, None], dtype=object))",
    )
    with pytest.raises(RefereeError, match="without a readable result"):
        run(path)
