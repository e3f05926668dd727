"""Times that are chosen where none are named follow the pace of the network."""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony, network
from planted import Planted

import sbmlgrad as sg
from sbmlgrad.cli.support import times_of
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.start import start_states
from sbmlgrad.errors import RequestError
from sbmlgrad.model.time_grids import together
from sbmlgrad.referees import horizon
from sbmlgrad.referees.due import Due, due, not_reached
from sbmlgrad.referees.horizon import GRID, grid_of, start_propensity
from sbmlgrad.referees.simulators.grids import uniform_steps


@pytest.mark.parametrize("rate", [1e-7, 1.0, 1e9])
def test_the_last_time_scales_with_the_rates(rate: float) -> None:
    model = antimony(f"substanceOnly species X in cell; X = 0; k = {rate}; J: => X; k;")
    grid = grid_of(model)
    # At least ten firings and three hundred, of which one in rate makes one; the next of 1, 2, 5,
    # 10 and no more.
    assert 10.0 <= grid.early * rate <= 50.0
    assert 300.0 <= grid.last * rate <= 1000.0
    assert grid == grid_of(model)
    assert grid.text == f"0:{grid.early:g}:10,0:{grid.last:g}:10"
    np.testing.assert_allclose(grid.times, times_of(grid.text), rtol=1e-12)
    assert uniform_steps(grid.times) is not None, "not for simulators that take even steps only"


def test_one_grid_is_enough_where_many_reactions_or_molecules_take_long() -> None:
    model = antimony("substanceOnly species A in cell; A = 400; k = 1; J: A => ; k*A;")
    grid = grid_of(model)
    assert grid.early == grid.last
    assert grid.times.tolist() == np.linspace(0.0, grid.last, 11).tolist()
    assert grid.text == f"0:{grid.last:g}:10"


def test_late_times_are_not_too_late_for_even_steps() -> None:
    # X grows as the cube root of 300 t: ten firings by 4, three hundred by 90,000.
    model = antimony("substanceOnly species X in cell; X = 0; J: => X; 100/(1 + X)^2;")
    grid = grid_of(model)
    assert horizon.LATER / 2.0 < grid.last / grid.early <= horizon.LATER
    assert uniform_steps(grid.times) is not None


def test_times_of_several_grids() -> None:
    found = together([np.linspace(0.0, 0.3, 4), np.linspace(0.0, 1.0, 11)])
    np.testing.assert_allclose(found, np.arange(11) / 10.0, rtol=1e-12)
    far = times_of("1e9:1000000001:10")
    assert far.tolist() == np.linspace(1e9, 1e9 + 1.0, 11).tolist()
    assert times_of("0:1:2,0:10:2").tolist() == [0.0, 0.5, 1.0, 5.0, 10.0]
    with pytest.raises(RequestError, match=r"0:1:2,0:10: write START:STOP:STEPS"):
        times_of("0:1:2,0:10")


def test_molecules_that_run_out_are_waited_for() -> None:
    model = antimony("substanceOnly species A in cell; A = 100; k = 0.01; J: A => ; k*A;")
    # Nine tenths have decayed after ln 10 / k = 230.
    assert 200.0 <= grid_of(model).last <= 500.0


def test_a_slow_reaction_is_waited_for_and_a_very_slow_one_is_not() -> None:
    text = "substanceOnly species X in cell, Y in cell; X = 0; Y = 0; J: => X; 10; K: => Y; {};"
    assert 20.0 <= grid_of(antimony(text.format(0.1))).early <= 100.0
    # Beyond the time in which a trajectory has 150,000 firings.
    assert grid_of(antimony(text.format(1e-9))).last <= 1e4


def test_events_and_laws_in_time_are_followed() -> None:
    model = antimony(
        "substanceOnly species X in cell; X = 0; k = 0; J: => X; k; E: at (time > 30): k = 1;"
    )
    # Nothing fires before 30, ten firings take ten more, and three hundred as many.
    assert 40.0 <= grid_of(model).early <= 100.0
    assert 330.0 <= grid_of(model).last <= 1000.0
    assert start_propensity(lower(model)) == 0.0


def test_what_is_due_late_is_waited_for() -> None:
    text = "substanceOnly species X in cell; X = 0; J: => X; {}; K: X => ; X; "
    fast, switch = "10", "piecewise(10, time < 100 + 50, 20)"
    for law, event in ((fast, "E: at 50 after (2*time >= 200): X = 0;"), (switch, "")):
        grid = grid_of(antimony(text.format(law) + event))
        assert grid.early < grid.last < 100.0
        assert grid.windows == ((150.0 + grid.early / 10, 150.0 + grid.early / 10 + grid.early),)
        np.testing.assert_allclose(grid.times, times_of(grid.text), rtol=1e-12)
        assert grid.times[-1] == pytest.approx(grid.windows[0][1])
        assert grid.unseen == ()
    # What comes too late, at no time that can be told, or early enough.
    for event in ("E: at (time > 1e9): X = 0;", "E: at (sin(time) > 2): X = 0;", ""):
        assert grid_of(antimony(text.format(fast) + event)).windows == ()


def test_events_that_nobody_executed_are_told() -> None:
    text = "substanceOnly species X in cell; X = 0; J: => X; 10; K: X => ; X; {}"
    never, often = "E: at (X >= 1000): X = 0;", "F: at (X >= 20): X = 0;"
    (said,) = grid_of(antimony(text.format(never + often))).unseen
    assert said.startswith("Event 'E' was executed in none of 4 trial trajectories")
    # Often enough by then.
    assert grid_of(antimony(text.format(often))).last > grid_of(antimony(text.format(""))).last


def test_reports_say_what_their_times_do_not_reach() -> None:
    model = antimony(
        "substanceOnly species X in cell; X = 9; J: X => ; X; E: at (time >= 40): X = 5;"
        "F: at (time >= 1): X = 4;"
    )
    unseen = sg.validate(model, Planted(breaks=(1.0,)), times=[1.0, 2.0], seed=1).unseen
    assert len(unseen) == 1
    assert unseen[0].startswith("Due at time 40, not before the last time that is compared (2): ")
    assert "event 'E'. A simulator" in unseen[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("E: at (time > 1 && X >= 1000): X = 0;", {1.0: "event 'E'"}),
        (
            "E: at ((time > 1 && time < 2) || (time > 200 && time < 201)): X = 0;",
            {1.0: "", 200.0: ""},
        ),
        ("E: at (time < 100): X = 0;", {}),
        ("E: at !(time < 100): X = 0;", {100.0: ""}),
        ("tau = 1; F: at (time > 5): tau = 300; E: at tau after (time > 2): X = 0;", {5.0: "'F'"}),
        ("z = 0; E: at 1/z after (time > 1): X = 0;", {}),
        ("E: at (time/86400 > 365): X = 0;", {31536000.0: ""}),
        ("E: at (min(time, 10) > 20): X = 0;", {}),
        ("L: => X; piecewise(10, time < 1, 20, time < 200, 5);", {1.0: "'L'", 200.0: "'L'"}),
        ("c := piecewise(1, time < 7, 2); L: => X; c; M: => X; 2*c;", {7.0: "'L'"}),
    ],
)
def test_times_that_are_due(text: str, expected: dict[float, str]) -> None:
    model = antimony(f"substanceOnly species X in cell; X = 0; J: => X; 10; K: X => ; X; {text}")
    lowered = lower(model)
    found = due(lowered, start_states(lowered, {}, {}, 0, np.zeros(1, dtype=np.uint64))[0])
    first = {each.time: each for each in reversed(found)}
    assert sorted(first) == sorted(expected)
    for time, words in expected.items():
        assert words in first[time].what


def test_sentences_on_what_is_due_are_one_for_each_time() -> None:
    laws = [Due(9.0, f"a switch in the law of '{i}'", is_seen_at_once=False) for i in range(6)]
    (said,) = not_reached(laws, 9.0)
    assert "of '3' and 2 more" in said
    # An event shows at its time.
    assert not_reached([Due(9.0, "event 'E'", is_seen_at_once=True)], 9.0) == ()
    twice = [Due(t, "event 'E'", is_seen_at_once=True) for t in (1.0, 20.0, 30.0)]
    assert [s[:14] for s in not_reached(twice, 5.0)] == ["Due at time 20"]


def test_an_event_that_only_seems_to_be_due_is_told_of() -> None:
    model = antimony(
        "substanceOnly species X in cell; X = 0; J: => X; 10; K: X => ; X;"
        "E: at (time > 1 && X >= 1000): X = 0;"
    )
    (said,) = grid_of(model).unseen
    assert said.startswith("Event 'E' was executed in none")


def test_times_behind_what_is_due_do_not_cost_too_much() -> None:
    text = "substanceOnly species X in cell; X = 0; J: => X; 100; K: X => ; X;"
    text += "E: at (time > {}): X = 0;"
    assert grid_of(antimony(text.format(700))).windows == ()
    assert grid_of(antimony(text.format(15))).windows != ()


def test_nothing_that_can_fire_tells_no_time() -> None:
    model = antimony("substanceOnly species X in cell; X = 0; k = 1; J: X => ; k*X;")
    assert grid_of(model) == GRID


def test_propensities_at_the_start() -> None:
    assert start_propensity(lower(network("immigration_death"))) == 2.0
    model = antimony("substanceOnly species X in cell; X = 0; k = 1; J: X => ; k/X;")
    assert np.isnan(start_propensity(lower(model)))


def test_a_trial_that_takes_too_long_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(horizon, "PATIENCE_S", 0.3)
    monkeypatch.setattr(horizon, "MOST", 10**9)
    model = antimony("substanceOnly species X in cell; X = 0; k = 1e9; J: => X; k;")
    with pytest.raises(RequestError, match=r"--times START:STOP:STEPS"):
        grid_of(model)
