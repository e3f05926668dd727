"""The exchange that shows who fires both directions of a law."""

from __future__ import annotations

import math
import sys

import net_rates
import pytest


def test_sbmlgrad_fires_both_directions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["net_rates.py"])
    assert net_rates.main() == 0
    rows = [r for r in capsys.readouterr().out.splitlines() if r.startswith("| sbmlgrad")]
    assert [row.split("|")[2].strip() for row in rows] == ["reversible", "irreversible"]
    for row in rows:
        mean, variance = map(float, row.split("|")[3:5])
        # Binomial of 120 and 1/2; a net rate would leave no variance, 14 standard errors below.
        z_mean = (mean - 60.0) / math.sqrt(30.0 / net_rates.TRAJECTORIES)
        z_variance = (variance - 30.0) / (30.0 * math.sqrt(2.0 / net_rates.TRAJECTORIES))
        assert max(abs(z_mean), abs(z_variance)) < 4.0, f"z = {z_mean:.2f}, {z_variance:.2f}"
