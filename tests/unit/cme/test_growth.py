"""State spaces that grow by themselves: bounds that hold, shapes, starts and refusals."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from networks import HEAD, antimony, network
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.cme import growth
from sbmlgrad.cme.projection import project
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import ParameterError, RequestError, StateSpaceError, UnsupportedModelError

BIRTH_DEATH = """
    substanceOnly species X in cell; X = 0; a = 400; m = 1; J0: => X; a; J1: X => ; m*X;
"""
TOGGLE = """
    substanceOnly species U in cell, V in cell; U = 0; V = 0; a = 40; K = 10;
    J0: => U; 1 + a/(1 + (V/K)^2); J1: U => ; U;
    J2: => V; 1 + a/(1 + (U/K)^2); J3: V => ; V;
"""
SCHLOEGL = """
    substanceOnly species X in cell; X = 25; feed = 21.5; grow = 0.1009; back = 0.002242; loss = 1;
    J0: => X; feed; J1: 2 X => 3 X; grow*X*(X - 1);
    J2: 3 X => 2 X; back*X*(X - 1)*(X - 2); J3: X => ; loss*X;
"""
TWO_COMPARTMENTS = """
    compartment a = 1; compartment b = 3; species A in a, B in b; A = 60; B = 0;
    k = 1; r = 0.5; f = 20; g = 0.5;
    J0: A -> B; k*A*a - r*B*b; J1: => A; f; J2: B => ; g*B*b;
"""


def poisson_mean(time: float) -> float:
    return 400.0 * (1.0 - np.exp(-time))


@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-9])
def test_the_leak_bounds_the_error(tolerance: float) -> None:
    """Every probability lies below the Poisson law, all together by the leak, at every time."""
    projection = project(antimony(BIRTH_DEATH), until=3.0, tolerance=tolerance)
    for time in (0.1, 1.0, 3.0):
        (got,) = projection.distributions(np.array([time]))
        exact = stats.poisson.pmf(projection.space.counts[:, 0], poisson_mean(time))
        assert (got <= exact + 1e-13).all()
        missing = 1.0 - got.sum()
        assert missing == pytest.approx(projection.leak(time), abs=1e-12)
        assert projection.leak(time) <= tolerance
    # Tolerances are used and not overdone: at most a factor of the states that are needed.
    needed = stats.poisson.isf(tolerance, 400.0 * (1 - np.exp(-3.0)))
    assert 0.9 * needed < projection.space.size < 1.3 * needed


@pytest.mark.parametrize("text", [TOGGLE, SCHLOEGL, TWO_COMPARTMENTS], ids=["t", "s", "c"])
def test_finds_its_states_without_a_box(text: str) -> None:
    model = antimony(text)
    coarse = project(model, until=2.0, tolerance=1e-4)
    fine = project(model, until=2.0, tolerance=1e-9)
    assert fine.leak(2.0) <= 1e-9
    assert fine.leak(2.0) < coarse.leak(2.0) <= 1e-4
    assert coarse.space.size < fine.space.size
    probability = fine.distributions([2.0])[0]
    finer = dict(zip(map(tuple, fine.space.counts), probability, strict=True))
    short = np.array([finer.get(tuple(c), 0.0) for c in coarse.space.counts])
    short -= coarse.distributions([2.0])[0]
    # The finer one lies above, but for states that it leaves to its leak.
    assert short.min() > -1e-9
    assert short.sum() <= coarse.leak(2.0) + 1e-12


def test_small_closed_networks_are_solved_on_all_states() -> None:
    projection = project(network("epidemic"), until=3.0)
    assert projection.space.is_closed
    assert projection.leak(1e6) == 0.0
    # S from 27 to 0, and I from 0 to what is left: reachable pairs.
    assert projection.space.size == len(np.unique(projection.space.counts, axis=0))
    assert (projection.space.counts.sum(axis=1) == 30).all()


def test_states_that_hold_nothing_are_dropped() -> None:
    model = antimony(
        "substanceOnly species A in cell, B in cell; A = 100; B = 100; k = 1; m = 1;"
        "J0: A => ; k*A; J1: B => ; m*B;"
    )
    projection = project(model, until=1.0, tolerance=1e-6)
    # A box would have 101 x 101 states; both counts fall together, near a diagonal.
    assert projection.space.size < 0.6 * 101**2
    assert projection.leak(1.0) <= 1e-6
    mean = projection.expect(ValuesAt([1.0]), "A").value
    np.testing.assert_allclose(mean, 100 * np.exp(-1.0), rtol=1e-6)


def test_a_growth_that_ignores_the_leak_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check itself: with nothing added where probability leaks, the bound must break."""
    monkeypatch.setattr(growth, "_expand", lambda explorer, *_: explorer.add(np.zeros((0, 1)), 0))
    monkeypatch.setattr(growth, "FEW", 100)
    steps = iter(range(50))

    def some(*arguments):
        if next(steps, None) is None:
            raise TimeoutError
        return advance(*arguments)

    advance = growth.advance
    monkeypatch.setattr(growth, "advance", some)
    with pytest.raises(TimeoutError):
        project(antimony(BIRTH_DEATH), until=3.0)


def test_randomised_start_is_a_distribution() -> None:
    text = HEAD + "substanceOnly species X in cell; X = 4.25; m = 1; J0: X => ; m*X;"
    projection = project(sg.load(text, initial="randomised"), until=1.0)
    np.testing.assert_allclose(projection.expect(ValuesAt([0.0, 1.0]), "X").value[0], 4.25)
    survival = np.exp(-1.0)
    got = projection.distributions([1.0])[0]
    counts = projection.space.counts[:, 0]
    exact = 0.75 * stats.binom.pmf(counts, 4, survival) + 0.25 * stats.binom.pmf(
        counts, 5, survival
    )
    np.testing.assert_allclose(got, exact, atol=1e-13)
    with pytest.raises(UnsupportedModelError, match="not a whole number"):
        project(sg.load(text), until=1.0)


def test_given_start() -> None:
    model = antimony("substanceOnly species X in cell; X = 9; m = 1; J0: X => ; m*X;")
    start = (np.array([[2], [5]]), np.array([0.5, 0.5]))
    projection = project(model, until=1.0, start=start)
    np.testing.assert_allclose(projection.expect(ValuesAt([1.0]), "X").value, 3.5 * np.exp(-1.0))
    for wrong in (
        (np.array([[2, 1]]), np.ones(1)),
        (np.array([[-1]]), np.ones(1)),
        (np.array([[2], [2]]), np.array([0.5, 0.5])),
        (np.array([[2], [3]]), np.array([0.5, 0.4])),
        ([[1.5]], [1.0]),
        ([[np.nan]], [1.0]),
        ([[2.0**53]], [1.0]),
        ([["a"]], [1.0]),
        ([[1]], ["a"]),
        ([[1], [2, 3]], [1.0]),
    ):
        with pytest.raises(RequestError, match="start:"):
            project(model, until=1.0, start=wrong)
    for wrong in ({(1,): 0.5}, 3, np.ones((2, 2)), ([[1]],), ([[1]], [1.0], [1.0])):
        with pytest.raises(RequestError, match=r"start=(.|\n)*: give two arrays"):
            project(model, until=1.0, start=wrong)


def test_a_space_that_does_not_fit_names_what_spreads() -> None:
    model = antimony(
        "substanceOnly species X in cell, Y in cell; X = 1; Y = 2; k = 3; m = 1;"
        "J0: X => 2 X; k*X; J1: Y => ; m*Y;"
    )
    with pytest.raises(
        StateSpaceError, match=r"still spread are X \(1 to \d+\)\. Shorten"
    ) as raised:
        project(model, until=9.0, largest=5000)
    assert "Y" not in str(raised.value).replace("model", "")


def test_a_space_that_does_not_fit_never_fills_the_memory() -> None:
    """States of one more shell are many times those allowed: 40 reactions lead on from each."""
    ids = [f"X{i}" for i in range(40)]
    species = ", ".join(f"{id} in cell" for id in ids)
    births = "".join(f"{id} = 0; J{id}: => {id}; k;" for id in ids)
    model = antimony(f"substanceOnly species {species}; k = 1; {births}")
    tracemalloc.start()
    try:
        with pytest.raises(
            StateSpaceError, match=r"more than 5,000 states are needed; .* and 3[0-9] more"
        ):
            project(model, until=1.0, largest=5000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 5,000 states and 16,384 more, 40 counts and 40 rates each, are 14 MB, with room to grow.
    assert peak < 1e8, f"{peak / 1e6:.0f} MB"


def test_refusals() -> None:
    model = network("hill")
    with pytest.raises(RequestError, match="until"):
        project(model, until=float("inf"))
    with pytest.raises(RequestError, match="tolerance"):
        project(model, until=1.0, tolerance=0.0)
    with pytest.raises(StateSpaceError, match="later `until`"):
        project(model, until=1.0).expect(ValuesAt([2.0]), "X")
    with pytest.raises(RequestError, match="absorbing"):
        project(model, until=1.0, absorbing=lambda states: states[:, 0])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"model": 3}, RequestError, r"project\(model\): pass a loaded network, not 3"),
        ({"until": "a"}, RequestError, "until: 'a' is not a number"),
        ({"until": -1.0}, RequestError, "until=-1.0: give a finite time"),
        ({"tolerance": "a"}, RequestError, "tolerance: 'a' is not a number"),
        ({"largest": "a"}, RequestError, "largest='a': give a whole number"),
        ({"largest": float("nan")}, RequestError, "largest=nan: give a whole number"),
        ({"parameters": 3}, RequestError, "parameters=3: pass a mapping"),
        ({"parameters": np.ones(2)}, RequestError, "parameters=array.*: pass a mapping"),
        ({"parameters": {"m": "a"}}, RequestError, "parameters, 'm': 'a' is not a number"),
        ({"parameters": {"q": 1.0}}, ParameterError, "no parameter 'q'"),
        ({"initial": [1]}, RequestError, r"initial=\[1\]: pass a mapping"),
        ({"initial": {"X": "a"}}, RequestError, "initial, 'X': 'a' is not a number"),
        ({"absorbing": 3}, RequestError, "absorbing=3: pass a function of states"),
    ],
)
def test_wrong_arguments_are_named(options, error, words) -> None:
    model = antimony("substanceOnly species X in cell; X = 2; m = 1; J0: X => ; m*X;")
    given = {"model": model, "until": 1.0, **options}
    with pytest.raises(error, match=words):
        project(given.pop("model"), **given)


def test_what_has_no_constant_generator_or_one_start_is_refused() -> None:
    law = "substanceOnly species X in cell; X = 3; m = 1; J0: X => ; m*X"
    with pytest.raises(StateSpaceError, match="no constant generator"):
        project(antimony(f"{law}*(1 + time);"), until=1.0)
    with pytest.raises(StateSpaceError, match="no constant generator"):
        project(antimony(f"{law}; at (time > 0.5): X = 9;"), until=1.0)
    drawn = antimony(f"{law}; X = poisson(4);".replace("X = 3; ", ""))
    with pytest.raises(StateSpaceError, match="'X' is drawn at random"):
        project(drawn, until=1.0)
    start = (np.arange(40)[:, None], stats.poisson.pmf(np.arange(40), 4))
    got = project(drawn, until=1.0, start=start).expect(ValuesAt([1.0]), "X").value
    np.testing.assert_allclose(got, 4 * np.exp(-1.0), rtol=1e-9)


@pytest.mark.parametrize("largest", [growth.FEW + 1, 20_000])
def test_one_state_more_than_few_is_within_what_is_allowed(largest: int) -> None:
    # A closed network of exactly one state more than are solved on all of them.
    model = antimony(
        f"substanceOnly species A in cell, B in cell; A = {growth.FEW}; B = 0; k = 1;"
        "J0: A => B; k*A; J1: B => A; k*B;"
    )
    found = project(model, until=1.0, largest=largest)
    mean = float(found.expect(ValuesAt([1.0]), "A").value[0])
    assert mean == pytest.approx(growth.FEW * (1.0 + np.exp(-2.0)) / 2.0, rel=1e-6)
