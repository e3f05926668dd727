"""The descent: many starts, an open end, checkpoints that change nothing, a budget."""

from __future__ import annotations

import signal

import numpy as np
import pytest
from fit_jobs import Interrupting

import sbmlgrad as sg
from sbmlgrad.errors import FitError, RequestError
from sbmlgrad.fit.descent.plateau import WINDOW, is_plateau

FAST = {
    "free": ["alpha", "mu"],
    "start": {"alpha": 1.0, "mu": 1.0},
    "seed": 4,
    "trajectories": 64,
    "evaluation_trajectories": 2000,
    "engine": sg.engines.Native(threads=1, kernel="table"),
}


def same(one: sg.FitResult, other: sg.FitResult) -> None:
    np.testing.assert_array_equal(one.loss_history, other.loss_history)
    np.testing.assert_array_equal(one.parameter_history, other.parameter_history)
    assert dict(one.values) == dict(other.values)
    assert one.loss == other.loss
    assert one.reason == other.reason


@pytest.mark.parametrize(
    ("options", "cut"), [({"epochs": 40}, 20), ({"starts": 4, "epochs": 40}, 7)]
)
def test_a_fit_that_is_cut_and_resumed_is_the_same(job, tmp_path, options, cut) -> None:
    model, data = job
    path = tmp_path / "state.npz"
    whole = sg.fit(model, data, **FAST, **options)
    cut_short = sg.fit(model, data, **FAST, **options, checkpoint=path, progress=Interrupting(cut))
    assert cut_short.interrupted
    assert len(cut_short.loss_history) == cut
    resumed = sg.fit(model, data, **FAST, **options, checkpoint=path, resume=True)
    assert not resumed.interrupted
    same(whole, resumed)


def test_an_open_end_is_found_and_resumed(job, tmp_path) -> None:
    """It ends by the test of progress, with more trajectories than it began with."""
    model, data = job
    path = tmp_path / "state.npz"
    options = {**FAST, "most_trajectories": 256}
    whole = sg.fit(model, data, **options)
    assert "no longer falls" in whole.reason
    assert whole.trajectories_history[-1] == 256
    assert (np.diff(whole.trajectories_history) >= 0).all()
    # Tolerance: several times the noise of 20,000 trajectories behind the data and of the epochs.
    assert whole.values["alpha"] == pytest.approx(2.0, rel=0.05)
    assert whole.values["mu"] == pytest.approx(0.4, rel=0.05)
    stop = Interrupting(len(whole.loss_history) // 2)
    sg.fit(model, data, **options, checkpoint=path, progress=stop)
    same(whole, sg.fit(model, data, **options, checkpoint=path, resume=True))


def test_bad_starts_are_dropped_and_told(job) -> None:
    model, data = job
    result = sg.fit(model, data, **{**FAST, "starts": 8, "epochs": 60})
    fates = [start.fate for start in result.starts]
    assert len(result.starts) == 8
    assert fates.count("best") == 1
    assert fates.count("dropped") == 7
    best = result.starts[fates.index("best")]
    assert best.epochs == 60
    assert best.loss == min(start.loss for start in result.starts)
    assert sorted(start.epochs for start in result.starts)[:4] == [WINDOW] * 4
    assert result.values["alpha"] == pytest.approx(2.0, rel=0.1)


def test_starts_at_which_trajectories_fail_are_given_up(job) -> None:
    """A birth rate of thousands exceeds the firing limit; the other starts go on."""
    model, data = job
    result = sg.fit(
        model,
        data,
        **{
            **FAST,
            "starts": 6,
            "epochs": 12,
            "bounds": {"alpha": (0.5, 5e4), "mu": (0.05, 20.0)},
            "engine": sg.engines.Native(threads=1, kernel="table", firing_limit=100),
        },
    )
    failed = [start for start in result.starts if "limit" in start.fate]
    assert failed
    assert result.starts[0].epochs == 12 or "limit" in result.starts[0].fate
    assert np.isfinite(result.loss)


def test_a_budget_ends_the_descent(job) -> None:
    model, data = job
    result = sg.fit(model, data, **FAST, max_seconds=1e-9)
    assert result.reason.startswith("the budget")
    assert len(result.loss_history) >= 1


def test_common_random_numbers_leave_no_noise(job) -> None:
    """At a fixed point of the parameters the loss of every epoch is the same number."""
    model, data = job
    bounds = {"alpha": (1.0, 1.0 + 1e-12), "mu": (1.0, 1.0 + 1e-12)}
    options = {**FAST, "bounds": bounds, "epochs": 5}
    common = sg.fit(model, data, **options, common_random_numbers=True)
    fresh = sg.fit(model, data, **options)
    np.testing.assert_allclose(common.loss_history, common.loss_history[0], rtol=1e-9)
    assert np.ptp(fresh.loss_history) > 1e-3


def test_checkpoints_of_other_fits_are_refused(job, tmp_path) -> None:
    model, data = job
    path = tmp_path / "state.npz"
    sg.fit(model, data, **FAST, epochs=3, checkpoint=path)
    with pytest.raises(FitError, match="another model, other data or other settings"):
        sg.fit(model, data, **{**FAST, "seed": 5}, epochs=3, checkpoint=path, resume=True)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(FitError, match=r"state\.npz: cannot be read as a checkpoint"):
        sg.fit(model, data, **FAST, epochs=3, checkpoint=path, resume=True)
    with pytest.raises(RequestError, match="name the file"):
        sg.fit(model, data, **FAST, epochs=3, resume=True)


def test_a_missing_checkpoint_starts_anew(job, tmp_path) -> None:
    model, data = job
    path = tmp_path / "none.npz"
    result = sg.fit(model, data, **FAST, epochs=3, checkpoint=path, resume=True)
    assert len(result.loss_history) == 3
    assert path.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"starts": 0}, "starts=0"),
        ({"most_trajectories": 10}, "most_trajectories=10"),
        ({"objective": "mean"}, "pass an objective object"),
        ({"estimator": "adjoint"}, "pass an estimator object"),
    ],
)
def test_bad_settings_are_refused(job, options, message) -> None:
    model, data = job
    with pytest.raises(RequestError, match=message):
        sg.fit(model, data, **{**FAST, **options})


def test_plateau_is_a_matter_of_significance() -> None:
    """Noise without a trend is a plateau in most windows; a fall of four sigma a window is not."""
    rng = np.random.default_rng(1)
    flat = [is_plateau(rng.normal(1.0, 0.1, 2 * WINDOW).tolist()) for _ in range(400)]
    # One-sided test at two standard errors: 0.03 false alarms for t with 22 degrees of freedom;
    # 400 windows have a standard error of 0.009.
    assert 0.93 < np.mean(flat) <= 1.0, np.mean(flat)
    falling = np.concatenate([rng.normal(1.0, 0.1, WINDOW), rng.normal(0.6, 0.1, WINDOW)])
    assert not is_plateau(falling.tolist())
    assert not is_plateau([1.0] * (2 * WINDOW - 1))
    assert is_plateau([1.0] * (2 * WINDOW))


def test_an_interruption_that_python_drops_is_noticed(job) -> None:
    """In a callback of the garbage collector `KeyboardInterrupt` would be printed and dropped."""
    model, data = job
    handler = signal.getsignal(signal.SIGINT)

    def dropped(done: int, epochs: int, loss: float) -> None:
        if done == 5:
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    result = sg.fit(model, data, **FAST, epochs=40, progress=dropped)
    assert result.interrupted
    assert len(result.loss_history) == 5
    assert signal.getsignal(signal.SIGINT) is handler
