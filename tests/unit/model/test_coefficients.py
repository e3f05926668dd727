"""A coefficient that can change its sign is no difference of rates, however it is written."""

from __future__ import annotations

import numpy as np
import pytest
from events import accept, z_mean, z_variance

import sbmlgrad as sg
from sbmlgrad.model.channels import channels


def ids(text: str) -> tuple[list[str], set[str]]:
    found, issues = channels(sg.load(text, substance="item"))
    return [c.id for c in found], {issue.code for issue in issues}


@pytest.mark.parametrize(
    ("law", "more"),
    [
        ("A*(1 - 0.5*time)", ""),
        ("A*f", "f := 1 - time/2;"),
        ("A*(1 - w)", "w = 0; w' = 0.5;"),
    ],
)
def test_a_decay_that_fades_makes_no_births(law: str, more: str) -> None:
    text = f"substanceOnly species A; A = 20; {more} R: A -> ; {law};"
    model = sg.load(text, substance="item")
    assert ids(text) == (["R"], {"sign_unknown"})
    sample = sg.simulate(model, times=[0.5, 1.0, 1.5], trajectories=4000, seed=4)
    alive = np.exp(-(sample.times - sample.times**2 / 4.0))
    mean, variance = 20.0 * alive, 20.0 * alive * (1.0 - alive)
    counts = sample.values("A", "counts")
    # Births in place of fewer deaths would make the variance 1.3 to 2.4 times as large.
    accept("binomial", z_mean(counts, mean, variance), z_variance(counts, mean, variance))
    with pytest.raises(sg.SimulationError, match="at time 2"):
        sg.simulate(model, times=[2.5], trajectories=50, seed=4)


def test_what_is_written_as_a_difference_is_one() -> None:
    text = "substanceOnly species A; A = 20; R: A -> ; A - 0.5*A*time;"
    assert ids(text)[0] == ["R", "R_backward"]


def test_a_coefficient_beside_a_reversible_law() -> None:
    for law in ("(k*A - k2*B)*(1 - 0.5*time)", "k*A*(1 - 0.5*time) - k2*B*(1 - 0.5*time)"):
        text = f"substanceOnly species A, B; A = 9; B = 3; k = 1; k2 = 2; R: A -> B; {law};"
        assert ids(text) == (["R", "R_backward"], {"sign_unknown"})


def test_a_synthesis_that_fades() -> None:
    text = "substanceOnly species A; A = 0; R: -> A; 20*(1 - 0.5*time);"
    assert ids(text) == (["R"], {"sign_unknown"})
    sample = sg.simulate(
        sg.load(text, substance="item"), times=[1.0], trajectories=4000, seed=4
    ).values("A", "counts")[:, 0]
    accept("poisson", z_mean(sample, 15.0, 15.0), z_variance(sample, 15.0, 15.0))


def test_constants_are_judged_by_their_values() -> None:
    text = "substanceOnly species A, B; A = 9; B = 3; k = 1; k2 = 2; R: A -> B; (k2 - k)*A;"
    model = sg.load(text, substance="item")
    assert ids(text)[0] == ["R"]
    with pytest.raises(sg.UnsupportedModelError, match="reversible_not_separable"):
        sg.simulate(model, times=[1.0], parameters={"k": 3.0}, seed=1)


def test_a_difference_behind_a_quotient_is_split_all_the_same() -> None:
    text = """
        substanceOnly species A, B; A = 50; B = 50; kf = 1; kb = 1;
        s := (kf*A - kb*B)/A;
        R: A -> B; s*A;
    """
    assert ids(text)[0] == ["R", "R_backward"]
    assert ids(text.replace("(kf*A - kb*B)/A", "piecewise((kf*A - kb*B)/A, A > 0, 0)"))[0] == [
        "R",
        "R_backward",
    ]


def test_a_volume_that_an_event_makes_negative_is_found_at_once() -> None:
    text = """
        compartment V = 1; species $S in V = 2; substanceOnly species P = 0;
        R: -> P; S*(time - 1)^2;
        at time >= 1: V = -1; at time >= 1.5: V = 1;
    """
    with pytest.raises(sg.SimulationError, match="at time 1"):
        sg.simulate(sg.load(text, substance="item"), times=[3.0], trajectories=20, seed=1)


def test_a_rule_that_is_a_coefficient_is_not_torn_open() -> None:
    # With I <= 10 at all times kb stays >= 0. Written out, a part of it would look like a second
    # way from A to B that needs no A.
    text = """
        substanceOnly species A, B, I, J; A = 100; B = 100; I = 5; J = 5;
        kf = 0.4; kmax = 0.6; Itot = 10; kz = 0;
        kb := kmax*(1 - I/Itot);
        R: A -> B; kf*A - kb*B;
        S: I -> J; kz*I;
    """
    assert ids(text)[0] == ["R", "R_backward", "S"]
    sample = sg.simulate(
        sg.load(text, substance="item"), times=[0.5, 3.0], trajectories=2000, seed=4
    )
    # Independent molecules: on with rate 0.4, off with rate 0.3; half start on each side.
    relax = np.exp(-0.7 * sample.times)
    on = 0.4 / 0.7
    from_on, from_off = on + (1.0 - on) * relax, on * (1.0 - relax)
    mean = 100.0 * (from_on + from_off)
    variance = 100.0 * (from_on * (1.0 - from_on) + from_off * (1.0 - from_off))
    counts = sample.values("B", "counts")
    accept("two states", z_mean(counts, mean, variance), z_variance(counts, mean, variance))
