"""`summarise`: the statistics of `simulate`, whatever the parts, threads, kernels and splits."""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony, network
from summaries import GROWING, STEADY, TIMES, identical

import sbmlgrad as sg
from sbmlgrad import summary as summary_module
from sbmlgrad.engines import Outcome
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
from sbmlgrad.summary import summarise

QUANTITIES = (None, "counts", "amount", "concentration")


@pytest.fixture
def small_parts(monkeypatch):
    """Return a function that sets how many trajectories make a part."""

    def set_size(size: int) -> None:
        monkeypatch.setattr(summary_module, "LARGEST_PART", size)

    return set_size


@pytest.mark.parametrize("name", ["small_dimer", "michaelis_menten", "steady"])
def test_statistics_of_simulate(name: str) -> None:
    model = antimony(STEADY) if name == "steady" else network(name)
    options = {"times": TIMES, "trajectories": 700, "seed": 3}
    cells = sg.simulate(model, **options)
    short = summarise(model, **options)
    assert short.firings == cells.firings.sum()
    assert short.seed == 3
    assert sum(short.outcomes.values()) == short.trajectories == 700
    np.testing.assert_array_equal(short.times, TIMES)
    for species in model.species_ids:
        for quantity in QUANTITIES:
            values = cells.values(species, quantity)
            given = (species, quantity)
            np.testing.assert_allclose(short.mean(*given), values.mean(axis=0), rtol=1e-14)
            np.testing.assert_allclose(
                short.variance(*given), values.var(axis=0, ddof=1), rtol=1e-11, atol=1e-25
            )
            np.testing.assert_allclose(
                short.standard_error(*given),
                values.std(axis=0, ddof=1) / np.sqrt(700),
                rtol=1e-11,
                atol=1e-14,
            )
            np.testing.assert_array_equal(short.minimum(*given), values.min(axis=0))
            np.testing.assert_array_equal(short.maximum(*given), values.max(axis=0))
            for other in model.species_ids:
                expected = [
                    np.cov(a, b)[0, 1]
                    for a, b in zip(values.T, cells.values(other, quantity).T, strict=True)
                ]
                found = short.covariance(species, other, quantity)
                np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("q", [0, 0.025, 0.1, 0.3, 0.5, 0.9, 1])
def test_quantiles_of_molecules_are_exact(q: float) -> None:
    model = antimony(STEADY)
    options = {"times": TIMES, "trajectories": 700, "seed": 3}
    cells = sg.simulate(model, **options)
    short = summarise(model, **options)
    for quantity in QUANTITIES:
        expected = np.sort(cells.values("A", quantity), axis=0)[
            max(-(-round(q * 7000) // 10), 1) - 1
        ]
        found = short.quantile("A", q, quantity)
        np.testing.assert_array_equal(found.value, expected)
        np.testing.assert_array_equal(found.half_width, np.zeros(4))


@pytest.mark.parametrize("q", [0, 0.2, 0.5, 0.75, 1])
def test_quantiles_that_are_not_exact_say_by_how_much(q: float) -> None:
    model = antimony(STEADY)
    options = {"times": TIMES, "trajectories": 700, "seed": 3}
    values = sg.simulate(model, **options).values("A")
    short = summarise(model, **options, bins=8)
    truth = np.quantile(values, q, axis=0, method="inverted_cdf")
    value, half_width = short.quantile("A", q)
    assert (np.abs(value - truth) <= half_width).all()
    spread = values.max(axis=0) - values.min(axis=0)
    assert (half_width <= spread / 4).all()
    assert (half_width[1:] > 0).any() == (q not in (0, 1))


def test_histogram_of_molecules() -> None:
    model = antimony(STEADY)
    options = {"times": TIMES, "trajectories": 700, "seed": 3}
    counts = sg.simulate(model, **options).counts[:, 2, 0]
    short = summarise(model, **options)
    edges, found = short.histogram("A", 2, "counts")
    assert edges[0] == counts.min()
    np.testing.assert_array_equal(found, np.bincount(counts)[counts.min() :])
    np.testing.assert_array_equal(np.diff(edges), np.ones(len(found)))
    scaled, same = short.histogram("A", -2)
    np.testing.assert_array_equal(scaled, edges / 0.3)
    np.testing.assert_array_equal(same, found)
    with pytest.raises(sg.RequestError, match="point=4"):
        short.histogram("A", 4)


def test_symbols_that_are_no_molecules(small_parts) -> None:
    model = antimony(GROWING)
    asked = [("A", "counts"), ("A", "concentration"), "z", "tube", "J0"]
    options = {"times": TIMES, "trajectories": 150, "seed": 4}
    cells = sg.simulate(model, **options)
    short = summarise(model, **options, quantities=asked)
    small_parts(37)
    identical(summarise(model, **options, quantities=asked), short)
    for entry in asked:
        id, quantity = (entry, None) if isinstance(entry, str) else entry
        values = cells.values(id, quantity)
        np.testing.assert_allclose(short.mean(id, quantity), values.mean(axis=0), rtol=1e-14)
        truth = np.quantile(values, 0.4, axis=0, method="inverted_cdf")
        value, half_width = short.quantile(id, 0.4, quantity)
        assert (np.abs(value - truth) <= half_width).all()
    # Every trajectory has the same volume but for the last bits, which a difference of large
    # sums would drown.
    assert (short.variance("tube") < 1e-28).all()
    assert (short.quantile("tube", 0.5).half_width < 1e-14).all()
    # The concentration means another volume at every time, so molecules do not answer for it.
    by_default = summarise(model, **options)
    assert by_default.asked == (("A", "counts"), ("A", None))
    unlike = summarise(model, **options, quantities=["A"])
    with pytest.raises(sg.RequestError, match="'A' as counts were not kept"):
        unlike.mean("A", "amount")


def test_failed_trajectories_enter_no_statistic_silently(small_parts) -> None:
    model = antimony(
        "substanceOnly species X in cell, Y in cell; X = 3; Y = 0; k = 1;"
        "J0: X => Y; k; J1: Y => ; 2*k*Y;"
    )
    options = {"times": [0, 1, 2.5], "trajectories": 80, "seed": 2}
    small_parts(20)
    with pytest.raises(sg.SimulationError, match=r"trajectories 0 to 19.*reaction 'J0'") as caught:
        summarise(model, **options)
    assert (caught.value.outcomes == Outcome.NEGATIVE_COUNT).any()
    marked = sg.simulate(model, **options, on_failure="mark")
    failed = (marked.outcomes > Outcome.ABSORBED).sum()
    assert 0 < failed < 80
    short = summarise(model, **options, on_failure="mark")
    assert short.outcomes[Outcome.NEGATIVE_COUNT] == failed
    assert short.firings == marked.firings.sum()
    with pytest.raises(sg.StatisticsError, match=f"{failed} of 80 trajectories failed"):
        short.mean("X")
    kept = marked.without_failures()
    conditional = short.without_failures()
    np.testing.assert_allclose(conditional.mean("Y"), kept.mean("Y"), rtol=1e-14)
    np.testing.assert_allclose(
        conditional.standard_error("Y"),
        np.sqrt(kept.variance("Y") / (80 - failed)),
        rtol=1e-11,
        atol=1e-14,
    )


def test_all_failed() -> None:
    model = antimony("substanceOnly species X in cell; X = 0; k = 1e3; J0: X => ; k;")
    short = summarise(model, times=[5.0], trajectories=4, seed=1, on_failure="mark")
    with pytest.raises(sg.StatisticsError, match="every trajectory failed"):
        short.without_failures().mean("X")


def test_several_readouts(small_parts) -> None:
    model = network("immigration_death")
    windows = WindowAverages([0, 1, 2.5])
    options = {"times": TIMES, "readouts": [windows], "trajectories": 100, "seed": 6}
    cells = sg.simulate(model, **options)
    small_parts(33)
    told: list[tuple[int, int]] = []
    short = summarise(model, **options, progress=lambda done, total: told.append((done, total)))
    assert told == [(33, 100), (66, 100), (99, 100), (100, 100)]
    for readout in (ValuesAt(TIMES), windows):
        np.testing.assert_allclose(
            short.mean("X", readout=readout), cells.mean("X", readout=readout), rtol=1e-14
        )
    value, half_width = short.quantile("X", 0.5, readout=windows)
    truth = np.quantile(cells.values("X", readout=windows), 0.5, axis=0, method="inverted_cdf")
    assert (np.abs(value - truth) <= half_width).all()
    with pytest.raises(sg.RequestError, match="not asked for"):
        short.mean("X", readout=WindowAverages([0, 1]))
    alone = summarise(model, readouts=[windows], trajectories=10, seed=6)
    with pytest.raises(sg.RequestError, match="without `times`"):
        _ = alone.times


def test_tables() -> None:
    model = antimony(STEADY)
    short = summarise(model, times=TIMES, trajectories=50, seed=1, quantities=[("A", None), "T"])
    data = short.to_xarray()
    assert dict(data.sizes) == {"symbol": 2, "time": 4}
    np.testing.assert_array_equal(data["mean"].sel(symbol="A"), short.mean("A"))
    assert data.attrs["seed"] == 1
    assert data.attrs["trajectories"] == 50
    frame = short.to_dataframe()
    rows = frame[frame["symbol"] == "T"]
    np.testing.assert_array_equal(rows["time"], TIMES)
    np.testing.assert_array_equal(rows["variance"], short.variance("T"))
    single = summarise(model, times=TIMES, trajectories=1, seed=1)
    assert list(single.to_dataframe().columns) == [
        "symbol",
        "quantity",
        "time",
        "mean",
        "minimum",
        "maximum",
    ]
    with pytest.raises(sg.StatisticsError, match="at least two"):
        single.variance("A")


def test_values_that_are_not_finite_are_not_hidden() -> None:
    model = antimony("substanceOnly species X in cell; X = 5; k = 1; w := 1/X; J0: X => ; k*X;")
    short = summarise(model, times=[0, 20], trajectories=50, seed=1, quantities=["w", "X"])
    np.testing.assert_array_equal(np.isnan(short.mean("w")), [False, True])
    np.testing.assert_array_equal(np.isnan(short.maximum("w")), [False, True])
    assert short.mean("X")[1] == 0.0
    with pytest.raises(sg.StatisticsError, match="'w' is infinite"):
        short.quantile("w", 0.5)
    _, counts = short.histogram("w", 0)
    assert counts.sum() == 50
    with pytest.raises(sg.StatisticsError, match="'w' is infinite"):
        short.histogram("w", 1)
