"""Compiling pauses the collection of cyclic garbage, and nothing else does."""

from __future__ import annotations

import gc

import pytest

from sbmlgrad.codegen.compiling import collection_paused
from sbmlgrad.codegen.kernel_modules import kernel_module


def doubled(x):
    return 2.0 * x


@pytest.fixture
def _collected():
    assert gc.isenabled()
    yield
    gc.enable()


@pytest.mark.usefixtures("_collected")
def test_it_goes_on_after_the_outermost_block_and_after_errors():
    with collection_paused():
        with collection_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyboardInterrupt), collection_paused():
        raise KeyboardInterrupt
    assert gc.isenabled()


@pytest.mark.usefixtures("_collected")
def test_what_a_user_switched_off_stays_off():
    gc.disable()
    with collection_paused():
        assert not gc.isenabled()
    assert not gc.isenabled()


@pytest.mark.usefixtures("_collected")
def test_kernels_compile_without_it(monkeypatch, tmp_path):
    from numba.core import event

    class Watched(event.Listener):
        def on_start(self, event):
            states.append(gc.isenabled())

        def on_end(self, event):
            states.append(gc.isenabled())

    states: list[bool] = []
    monkeypatch.setenv("SBMLGRAD_CACHE_DIR", str(tmp_path))
    watched = Watched()
    event.register("numba:compile", watched)
    try:
        assert kernel_module([doubled]).doubled(1.5) == 3.0
    finally:
        event.unregister("numba:compile", watched)
    assert states == [False, False]
    assert gc.isenabled()
