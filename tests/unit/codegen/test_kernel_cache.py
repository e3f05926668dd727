"""Compiled kernels on disk: used again, rebuilt where damaged, shared by processes."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

#: A small printed kernel, and one that takes it as an argument, in a process of their own. Writes
#: the result, and how often machine code was found and not found on disk.
CHILD = '''
import sys
from sbmlgrad.codegen.kernel_modules import bound_to, kernel_module, printed_function
from kernels_of_child import applied, helper

PRINTED = """@njit(cache=True, nogil=True, error_model="numpy")
def inner(x):
    return 2.0 * x + 1.0
"""
inner = printed_function(PRINTED, 'inner', 'f8(f8)')
outer = kernel_module((applied, helper)).applied
result = bound_to(outer, (inner,), 1.0)(inner, 3.0)
stats = [f.stats for f in (inner, outer)]
hits = [sum(s.cache_hits.values()) for s in stats]
misses = [sum(s.cache_misses.values()) for s in stats]
print(result, hits, misses)
'''
KERNELS = """
def helper(x):
    return x - 0.5


def applied(function, x):
    return function(helper(x))
"""
FRESH, USED = "6.0 [0, 0] [1, 1]", "6.0 [1, 1] [0, 0]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty cache, beside the module that the child imports."""
    (tmp_path / "kernels_of_child.py").write_text(KERNELS)
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that one process has filled."""
    place = tmp_path_factory.mktemp("filled")
    (place / "kernels_of_child.py").write_text(KERNELS)
    assert run(place / "cache") == FRESH
    return place / "cache"


@pytest.fixture
def warm(filled: Path, folder: Path) -> Path:
    """A copy of it."""
    shutil.copytree(filled, folder)
    return folder


def start(folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {
        "SBMLGRAD_CACHE_DIR": str(folder),
        "PYTHONPATH": str(folder.parent),
        "PYTHONWARNINGS": "error",
    }
    return subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result_of(child: subprocess.Popen[str]) -> str:
    out, err = child.communicate(timeout=300)
    assert child.returncode == 0, err
    assert err == ""
    return out.strip()


def run(folder: Path) -> str:
    return result_of(start(folder))


def files(folder: Path, pattern: str = "*") -> dict[str, tuple[int, bytes]]:
    """Return every file of the cache: when it was written, and what it holds."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob(pattern))
        if path.is_file()
    }


def test_another_process_uses_what_the_first_has_compiled(warm: Path) -> None:
    before = files(warm)
    assert {Path(name).suffix for name in before} == {".py", ".nbi", ".nbc"}
    assert run(warm) == USED
    assert files(warm) == before


@pytest.mark.parametrize(
    ("kind", "harm"),
    [
        ("nbi", "empty"),
        ("nbi", "garbage"),
        ("nbc", "truncated"),
        ("nbc", "garbage"),
        ("py", "truncated"),
        ("py", "garbage"),
    ],
)
def test_damaged_files_are_made_anew(warm: Path, kind: str, harm: str) -> None:
    damaged = sorted(warm.rglob(f"*.{kind}"))
    assert len(damaged) >= 2
    for path in damaged:
        content = path.read_bytes()
        left = {"empty": b"", "truncated": content[: len(content) // 2]}
        path.write_bytes(left.get(harm, b"\x00garbage\xff" * 40))
    assert run(warm).startswith("6.0 ")
    # And what was made anew serves the next process.
    assert run(warm) == USED


def test_machine_code_of_another_numba_is_not_used(warm: Path) -> None:
    for path in warm.rglob("*.nbi"):
        content = path.read_bytes()
        version = pickle.loads(content)
        path.write_bytes(pickle.dumps("0.0.0") + content[len(pickle.dumps(version)) :])
    assert run(warm) == FRESH
    assert run(warm) == USED


def test_machine_code_that_has_gone_missing_is_made_anew(warm: Path) -> None:
    for path in warm.rglob("*.nbc"):
        path.unlink()
    assert run(warm) == FRESH
    assert run(warm) == USED


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_may_only_be_read_is_named(folder: Path) -> None:
    folder.mkdir(mode=0o500)
    child = start(folder)
    _, err = child.communicate(timeout=300)
    assert child.returncode != 0
    assert f"RequestError: SBMLGRAD_CACHE_DIR={folder}" in err


def test_processes_that_start_at_once_do_not_harm_each_other(folder: Path) -> None:
    children = [start(folder) for _ in range(2)]
    assert {result_of(child)[:4] for child in children} == {"6.0 "}
    assert run(folder) == USED
    assert not list(folder.rglob("*.tmp*"))
