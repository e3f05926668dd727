"""Workers that fail, crash, hang or leave nothing behind are reported with their last words."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sbmlgrad.errors import RefereeError
from sbmlgrad.referees.process import run_worker


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
    with pytest.raises(RefereeError, match="without a readable result"):
        run(worker(tmp_path, "pass"))


def test_a_result_that_is_no_array_file(tmp_path: Path) -> None:
    with pytest.raises(RefereeError, match="without a readable result"):
        run(worker(tmp_path, "open('result.npz', 'wb').write(b'PK nonsense')"))


def test_arrays_of_objects_are_not_unpickled(tmp_path: Path) -> None:
    path = worker(
        tmp_path,
        "import numpy\nnumpy.savez('result.npz', a=numpy.array([{}, None], dtype=object))",
    )
    with pytest.raises(RefereeError, match="without a readable result"):
        run(path)
