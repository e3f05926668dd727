"""Where compiled kernels are kept, and what is said if they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

import sbmlgrad as sg
from sbmlgrad.codegen import kernel_modules


@pytest.fixture
def no_folder(tmp_path: Path) -> Path:
    """A place where no folder can be made: a file is in the way, for every user."""
    taken = tmp_path / "taken"
    taken.write_text("")
    return taken / "kernels"


def a_kernel(x):
    return x + 1.0


def test_a_named_folder_that_cannot_be_written_is_an_error(
    no_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SBMLGRAD_CACHE_DIR", str(no_folder))
    with pytest.raises(sg.RequestError, match=r"SBMLGRAD_CACHE_DIR=.*taken"):
        kernel_modules.kernel_module([a_kernel])


def test_without_a_cache_kernels_live_as_long_as_the_process(
    no_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SBMLGRAD_CACHE_DIR", raising=False)
    monkeypatch.setattr(kernel_modules, "cache_folder", lambda: no_folder)
    with pytest.warns(RuntimeWarning, match="cannot be written"):
        module = kernel_modules.kernel_module([a_kernel], "def unused_here(x):\n    return x\n")
    assert module.a_kernel(1.0) == 2.0
