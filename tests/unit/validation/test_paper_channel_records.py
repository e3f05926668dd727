"""Schemes judged on unseen dwells: right ones pass, wrong ones do not, on made and real records."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from networks import ROOT

sys.path.append(str(ROOT / "validation" / "benchmarks" / "paper"))

import paper_channel_records as records
from paper_channel_scheme import Half, Scheme, fit_scheme, halves, network, simulate

RECORD = ROOT.parent / "shared" / "data" / "channel" / "nAChR_50nM_001004S2_2state.csv"

#: Long openings stand beside short shuttings.
TRUTH = Scheme(
    opened=np.array([0.1, 2.0]),
    shut=np.array([0.2, 20.0]),
    onward=np.array([[0.3, 0.7], [0.8, 0.2]]),
    back=np.array([[0.2, 0.8], [0.7, 0.3]]),
    shares=np.array([0.45, 0.55]),
    log_likelihood=0.0,
    free=7,
)


def test_a_scheme_is_simulated_with_its_dwells_and_chances():
    assert network(TRUTH).species_ids == ("O0", "O1", "S0", "S1")
    made = simulate(TRUTH, 50, 200, 3)
    assert len(made) == 200
    opened, shut = (
        np.concatenate(d) for d in zip(*((h.opened, h.shut) for h in made), strict=True)
    )
    # Shares of the states at equilibrium of the chain of dwells, not those it started with.
    chain = TRUTH.onward @ TRUTH.back
    values, vectors = np.linalg.eig(chain.T)
    shares = np.real(vectors[:, np.argmax(np.real(values))])
    shares /= shares.sum()
    expected = shares @ TRUTH.opened, shares @ TRUTH.onward @ TRUTH.shut
    for drawn, mean in zip((opened, shut), expected, strict=True):
        # Neighbours are tied, so the scatter of means is taken over trajectories.
        each = drawn.reshape(200, -1).mean(axis=1)
        z = (each.mean() - mean) / (each.std(ddof=1) / np.sqrt(200))
        assert abs(z) < 4.5, f"mean dwell {each.mean()} against {mean}: z {z}"


def test_a_fit_finds_the_scheme():
    half = simulate(TRUTH, 20_000, 1, 4)[0]
    found = fit_scheme(half, (2, 2), is_free=True)
    np.testing.assert_allclose(found.opened, TRUTH.opened, rtol=0.1)
    np.testing.assert_allclose(found.shut, TRUTH.shut, rtol=0.1)
    np.testing.assert_allclose(found.onward, TRUTH.onward, atol=0.04)
    np.testing.assert_allclose(found.back, TRUTH.back, atol=0.04)
    tied = fit_scheme(half, (2, 2), is_free=False)
    np.testing.assert_allclose(tied.onward[0], tied.onward[1])
    assert tied.log_likelihood < found.log_likelihood - 100.0
    assert (tied.free, found.free) == (6, 7)


@pytest.mark.parametrize(
    ("states", "is_free", "rejected"),
    [
        ((2, 2), True, set()),
        ((2, 2), False, {"shutting behind", "opening behind"}),
        ((1, 2), False, {"open dwells", "shutting behind", "opening behind"}),
    ],
)
def test_wrong_schemes_are_rejected_and_right_ones_are_not(states, is_free, rejected, monkeypatch):
    monkeypatch.setattr(records, "REFERENCE", 20)
    fitted, unseen = simulate(TRUTH, 2000, 2, 7)
    verdict = records.judge(fitted, unseen, states, 5, is_free=is_free)
    assert set(verdict.rejected) == rejected, verdict.p_values


def test_dwells_that_are_a_fifth_too_short_are_noticed(monkeypatch):
    monkeypatch.setattr(records, "REFERENCE", 20)
    fitted, unseen = simulate(TRUTH, 3000, 2, 8)
    short = Half(0.8 * unseen.opened, unseen.shut, 0.8 * unseen.following)
    verdict = records.judge(fitted, short, (2, 2), 6, is_free=True)
    assert "open dwells" in verdict.rejected, verdict.p_values


def test_halves_are_other_stretches_of_the_record(tmp_path):
    rows = ["state,dwell_ms,usable"]
    rows += [f"{(i + 1) % 2},{1.0 + 0.001 * i},1" for i in range(250)]
    path = tmp_path / "record.csv"
    path.write_text("\n".join(rows) + "\n")
    first, second = halves(path, 0.5)
    assert (len(first.opened), len(second.opened)) == (75, 50)
    np.testing.assert_allclose(first.opened[:2], [0.5, 0.502])
    np.testing.assert_allclose(first.shut[:2], [0.501, 0.503])
    np.testing.assert_allclose(second.opened[0], 0.6)
    assert np.isnan(first.following).sum() == 2, "one at the end of each stretch"
    np.testing.assert_allclose(first.following[:3], first.opened[1:4])


@pytest.mark.skipif(not RECORD.exists(), reason="the record of the receptor is not here")
def test_the_receptor_needs_two_kinds_of_openings_and_neighbours(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "REFERENCE", 20)
    fitted, unseen = halves(RECORD, 0.025)
    one = records.judge(fitted, unseen, (1, 2), 1, is_free=False)
    many = records.judge(fitted, unseen, (3, 4), 2, is_free=True)
    assert {"open dwells", "shutting behind", "opening behind"} <= set(one.rejected)
    assert many.rejected == (), many.p_values
    found = {"receptor": (fitted, unseen, [one, many])}
    assert "3, 4, free" in records.page(found)
    records.plot(found, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
