"""What rests for long does not end the search for the next moment: steps and windows stay finite.

They double while nothing happens to them; at infinity they would halve to themselves for ever.
"""

from __future__ import annotations

import numpy as np
from events import accept, z_mean

import sbmlgrad as sg

#: Firings of a birth before anything else happens; 2^1024 is beyond floating-point numbers.
MANY = 3000.0


def test_a_law_of_time_that_is_zero_for_long() -> None:
    model = sg.load(
        f"""
        A = 0; B = 0; k = 0.1;
        K: -> B; {MANY / 5.0};
        J: A -> ; k*time*A;
        E: at time > 5: A = 50;
        """,
        substance="item",
    )
    sample = sg.simulate(model, times=[4.9, 5.5], trajectories=400, seed=5)
    assert (sample.values("A", "counts")[:, 0] == 0.0).all()
    # Survival until 5.5: exp(-k (5.5^2 - 5^2) / 2). A window left out would keep all 50.
    alive = np.exp(-0.1 * (5.5**2 - 25.0) / 2.0)
    counts = sample.values("A", "counts")[:, 1]
    accept("survivors", z_mean(counts, 50.0 * alive, 50.0 * alive * (1.0 - alive)))


def test_a_rate_rule_that_rests_at_zero_for_long() -> None:
    model = sg.load(
        f"""
        A = 0; B = 0; q = 0;
        q' = -q;
        K: -> B; {MANY / 5.0};
        J: A -> ; q*A;
        E: at time > 5: A = 50, q = 1;
        """,
        substance="item",
    )
    sample = sg.simulate(model, times=[4.9, 6.0], trajectories=400, seed=6)
    assert (sample.values("q")[:, 0] == 0.0).all()
    np.testing.assert_allclose(sample.values("q")[:, 1], np.exp(-1.0), rtol=1e-8)
    alive = np.exp(-(1.0 - np.exp(-1.0)))
    counts = sample.values("A", "counts")[:, 1]
    accept("survivors", z_mean(counts, 50.0 * alive, 50.0 * alive * (1.0 - alive)))


def test_a_trigger_that_rests_for_long() -> None:
    # No end to search up to: the readout counts firings.
    model = sg.load(
        f"A = 0; B = 0; q = 0; q' = -q; K: -> B; {MANY}; E: at q > 1: A = 1;", substance="item"
    )
    sample = sg.simulate(model, readouts=[sg.AfterFirings([int(MANY)])], seed=7)
    assert sample.values("B", "counts")[0, 0] == MANY
