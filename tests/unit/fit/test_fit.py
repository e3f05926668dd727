"""Calibration: known truth is recovered, input is untouched, interruption keeps the best."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from fit_jobs import Interrupting, mean_data
from networks import ROOT, network, shipped

import sbmlgrad as sg
from sbmlgrad.errors import DataError, FitError, ParameterError
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.objectives.base import standard_error
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.report import FILES, write_results
from sbmlgrad.fit.simulated import Simulator

#: Of quick fits of `small`.
QUICK = {"free": ["alpha"], "start": {"alpha": 1.0}, "seed": 1, "trajectories": 64}


def test_dimerization_is_recovered_within_one_per_cent(tmp_path) -> None:
    """Mean data of 100,000 trajectories; starts a factor 3 away in both parameters."""
    model = shipped("dimerization")
    data = mean_data(model, tmp_path / "d.csv", ["C"], np.linspace(0.2, 4, 12).tolist(), 100_000)
    result = sg.fit(
        model,
        data,
        free=["k1", "k2"],
        start={"k1": 0.03, "k2": 0.1},
        seed=5,
        epochs=150,
        trajectories=400,
    )
    assert result.values["k1"] == pytest.approx(0.01, rel=0.01)
    assert result.values["k2"] == pytest.approx(0.32, rel=0.01)
    assert result.loss < 1e-3 * result.start_loss
    assert any("agrees with FiniteDifference" in a for a in result.assumptions)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A quick fit of the immigration-death network, and its measurements."""
    model = network("immigration_death")
    path = tmp_path_factory.mktemp("data") / "x.csv"
    data = mean_data(model, path, ["X"], [1.0, 2.0, 4.0, 8.0], 5000)
    seen: list[tuple[int, int, float]] = []
    result = sg.fit(model, data, **QUICK, epochs=60, progress=lambda *a: seen.append(a))
    return model, data, path, result, seen


def test_input_is_untouched_and_result_is_a_new_network(small) -> None:
    model, _, _, result, _ = small
    assert model.with_parameters({}).parameter_values.tolist() == [2.0, 0.4]
    assert result.model is not model
    assert result.model.changed == {"alpha"}
    place = model.parameter_ids.index("alpha")
    assert result.model.parameter_values[place] == result.values["alpha"]
    assert result.values["alpha"] == pytest.approx(2.0, rel=0.05)


def test_history_progress_and_text(small) -> None:
    _, _, _, result, seen = small
    assert len(result.loss_history) == 60
    assert result.parameter_history.shape == (60, 1)
    assert [done for done, _, _ in seen] == list(range(1, 61))
    assert [loss for _, _, loss in seen] == result.loss_history.tolist()
    assert "alpha = " in str(result)
    assert "Monte-Carlo" in str(result)


def test_provenance_says_how_it_came_about(small) -> None:
    _, _, path, result, _ = small
    provenance = result.model.provenance
    assert provenance.data_name == "x.csv"
    assert provenance.data_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert provenance.seed == 1
    assert provenance.estimator == result.estimator
    assert dict(provenance.fitted) == dict(result.values)


def test_same_seed_same_result(small) -> None:
    model, data, _, result, _ = small
    engine = sg.engines.Native(threads=1, kernel="table")
    again = sg.fit(model, data, **QUICK, epochs=60, engine=engine)
    # The number of threads does not matter; printed and interpreted rates may differ in ulps.
    np.testing.assert_allclose(again.loss_history, result.loss_history, rtol=1e-9)


def test_loss_error_is_the_scatter_over_seeds(small) -> None:
    """Ratio of the stated standard error to the scatter over 40 seeds.

    The logarithm of a standard deviation of 40 values has standard error 1/sqrt(78) = 0.113;
    three of them allow 0.71 to 1.40.
    """
    _, _, _, result, _ = small
    objective, problem = MeanTrajectory(), result.problem
    losses, stated = [], []
    for seed in range(40):
        simulator = Simulator(
            problem,
            result.free,
            prepared(problem),
            objective.times(problem),
            sg.engines.Native(),
            seed,
        )
        simulated = simulator(np.array([1.0]), 500, 0)
        losses.append(objective.loss(problem, simulated))
        stated.append(standard_error(objective, problem, simulated))
    assert 0.71 < np.mean(stated) / np.std(losses, ddof=1) < 1.40


def test_results_folder(small, tmp_path) -> None:
    _, _, _, result, _ = small
    files = write_results(result, tmp_path / "deep" / "out")
    assert tuple(f.name for f in files) == FILES
    assert all(f.stat().st_size > 100 for f in files)
    page = (tmp_path / "deep" / "out" / "report.html").read_text()
    assert "<svg" in page
    assert "http" not in page.split("<body>")[1].replace("data:image", "")
    lines = (tmp_path / "deep" / "out" / "parameters.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:2] == ["parameterId", "value"]
    assert float(lines[1].split("\t")[1]) == result.values["alpha"]
    again = sg.load(tmp_path / "deep" / "out" / "calibrated.xml")
    np.testing.assert_array_equal(again.parameter_values, result.model.parameter_values)
    assert again == result.model


def test_interruption_keeps_the_best_so_far(small) -> None:
    model, data, _, _, _ = small
    result = sg.fit(model, data, **QUICK, epochs=150, progress=Interrupting(20))
    assert result.interrupted
    assert len(result.loss_history) == 20
    assert result.loss < result.start_loss
    assert "interrupted" in str(result)


def test_interruption_before_anything_is_known(small) -> None:
    model, data, _, _, _ = small

    def stop(done: int, epochs: int, loss: float) -> None:
        raise KeyboardInterrupt

    options = {"free": ["alpha"], "seed": 1, "trajectories": 64, "estimator": _Stopping()}
    with pytest.raises(KeyboardInterrupt):
        sg.fit(model, data, progress=stop, **options)


class _Stopping:
    """An estimator during whose work Ctrl-C is pressed."""

    name = "Stopping()"
    readouts = frozenset({sg.ValuesAt})

    def pull_back(self, engine, request, cotangent):
        raise KeyboardInterrupt


def test_an_outbreak_is_not_left_to_the_path_adjoint() -> None:
    """Early extinction misleads the default estimator; the fit finds out and says so."""
    data = sg.load_measurements(ROOT / "models" / "data" / "influenza_england_1978.csv")
    result = sg.fit(
        shipped("sir"), data, free=["beta", "gamma"], seed=1, epochs=25, trajectories=64
    )
    assert result.estimator.startswith("FiniteDifference")
    assert any("disagrees" in a for a in result.assumptions)
    assert result.loss < 0.5 * result.start_loss


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
def test_optimizers_schedules_and_temperature(small, optimizer) -> None:
    model, data, _, _, _ = small
    result = sg.fit(
        model,
        data,
        free=["alpha", "mu"],
        start={"alpha": 1.5},
        bounds={"alpha": (0.5, 10.0)},
        optimizer=optimizer,
        learning_rate=(0.1, 0.01),
        estimator=sg.gradients.StraightThrough(1.0),
        temperature=(1.0, 0.1),
        seed=3,
        epochs=40,
        trajectories=64,
    )
    assert result.loss < result.start_loss
    assert any("interpolated" in a for a in result.assumptions), result.assumptions


def test_a_parameter_at_its_bound_is_named(small) -> None:
    model, data, _, _, _ = small
    result = sg.fit(
        model,
        data,
        free=["alpha"],
        start={"alpha": 1.0},
        bounds={"alpha": (0.5, 1.2)},
        seed=1,
        epochs=30,
        trajectories=64,
    )
    assert result.at_bounds == ("alpha",)
    assert result.values["alpha"] == pytest.approx(1.2)
    assert "at a bound: alpha" in str(result)


BAD = [
    ({"free": ["nope"]}, ParameterError, "no parameter 'nope'"),
    ({"free": "alpha"}, ParameterError, "give a list"),
    ({"free": []}, FitError, "no parameter to fit"),
    ({"start": {"alpha": -1.0}}, FitError, "starts at -1.0"),
    ({"start": {"alpha": 0.0}}, FitError, "only positive values"),
    ({"bounds": {"alpha": (2.0, 1.0)}}, FitError, "0 < lower < upper"),
    ({"bounds": {"alpha": (3.0, 9.0)}}, FitError, "outside its bounds"),
    ({"bounds": {"mu": (1.0, 2.0)}}, FitError, "'mu' has bounds"),
    ({"optimizer": "sgdx"}, FitError, "optimizer='sgdx'"),
    ({"epochs": 0}, sg.RequestError, "epochs=0"),
    ({"trajectories": 1}, sg.RequestError, "trajectories=1"),
    ({"temperature": 0.5}, FitError, "has no temperature"),
    ({"mapping": {"X": "Y"}}, DataError, "Y"),
    ({"mapping": {"X": None}}, DataError, "no column is left"),
    ({"seed": -1}, sg.RequestError, "seed=-1"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD, ids=[m for _, _, m in BAD])
def test_bad_requests_are_refused_by_name(small, options, error, message) -> None:
    model, data, _, _, _ = small
    with pytest.raises(error, match=message):
        sg.fit(model, data, **{"free": ["alpha"], **options})


def test_plots_are_drawn(small, tmp_path) -> None:
    _, _, _, result, _ = small
    result.plot(tmp_path / "fit.png")
    result.plot_history(tmp_path / "history.png")
    for name in ("fit.png", "history.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
