"""`summarise`: what it refuses, and before what."""

from __future__ import annotations

import numpy as np
import pytest
from networks import network

import sbmlgrad as sg
from sbmlgrad import summary as summary_module
from sbmlgrad.summary import summarise


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bins": 1000}, "power of two"),
        ({"bins": 1}, "bins=1"),
        ({"trajectories": 0}, "trajectories=0"),
        ({"first_trajectory": 2**32 - 1}, "addresses"),
        ({"engine": sg.engines.ODE()}, "one solution"),
        ({"engine": 3}, "engine=3"),
        ({"quantities": "A"}, "give a list"),
        ({"quantities": []}, "name some symbols"),
        ({"quantities": [("A", "litres")]}, "quantity 'litres'"),
        ({"quantities": [3]}, "give a list"),
        ({"progress": 3}, "progress=3"),
        ({"times": None}, "nothing to keep"),
    ],
)
def test_requests_that_make_no_sense(changed, message: str) -> None:
    options = {"times": [1.0], "trajectories": 10, "seed": 1} | changed
    with pytest.raises(sg.RequestError, match=message):
        summarise(network("small_dimer"), **options)


def test_unknown_symbols_are_refused_before_anything_runs() -> None:
    with pytest.raises(sg.ParameterError, match="no symbol 'Q'"):
        summarise(network("small_dimer"), times=[1.0], trajectories=10**9, quantities=["Q"])


def test_tensors_are_refused() -> None:
    tf = pytest.importorskip("tensorflow")
    model = network("small_dimer")
    with pytest.raises(sg.GradientError, match="use simulate"):
        summarise(model, tf.constant(model.parameter_values), times=[1.0], trajectories=10)


def test_statistics_that_do_not_fit_are_refused(monkeypatch) -> None:
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", "80MiB")
    options = {"times": np.linspace(0, 1, 2001), "trajectories": 10, "seed": 1}
    with pytest.raises(sg.RequestError, match=r"3 symbols at 2001 points.*80 MiB"):
        summarise(network("small_dimer"), **options)
    summarise(network("small_dimer"), **options, bins=16, quantities=["A"])


def test_covariances_of_many_symbols_are_kept_on_request_only(monkeypatch) -> None:
    monkeypatch.setattr(summary_module, "MOST_PAIRED", 1)
    model = network("small_dimer")
    options = {"times": [1.0], "trajectories": 30, "seed": 1}
    short = summarise(model, **options)
    with pytest.raises(sg.RequestError, match="covariances=True"):
        short.covariance("A", "B")
    np.testing.assert_array_equal(short.covariance("A", "A"), short.variance("A"))
    assert summarise(model, **options, covariances=True).covariance("A", "C")[0] < 0


def test_quantities_that_come_to_the_same_are_kept_once() -> None:
    quantities = [(id, quantity) for id in "ABC" for quantity in (None, "counts", "amount")]
    options = {"times": [1.0], "trajectories": 5, "seed": 1}
    short = summarise(network("small_dimer"), **options, quantities=quantities)
    assert len(short.asked) == 9
    assert len(short.tracked) == 3
    assert len(short.to_dataframe()) == 9
