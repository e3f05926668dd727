"""Dwell times as an objective: closed forms, derivatives, what is refused, and what is kept."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from networks import ROOT, antimony

import sbmlgrad as sg
from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives import DwellTimes, StateSpaceLikelihood
from sbmlgrad.fit.objectives.base import ExactLikelihood, HoldsData
from sbmlgrad.fit.objectives.dwell_exponentials import MOST_POWERS
from sbmlgrad.fit.problems.plain import plain_problem

sys.path.insert(0, str(ROOT / "docs" / "tutorials"))

from channel_reference import mixture
from channel_simulated import TRUE, simulated_record

TWO = "O=1; C=0; k=1; l=0.1; O -> C; k*O; C -> O; l*C"
CLASSES = {"1": ("O",), "0": ("C",)}


def three_states() -> sg.ReactionNetwork:
    return sg.load(ROOT / "models" / "sbml" / "gating_three_states.xml")


def problem_of(model: sg.ReactionNetwork, record: sg.Dwells) -> sg.Problem:
    return plain_problem(model, record)[0]


def test_the_gradient_is_that_of_the_loss() -> None:
    seen = simulated_record(500, 2, 0.025)
    objective = DwellTimes(seen, {"1": ("O",), "0": ("C", "P")})
    assert isinstance(objective, ExactLikelihood)
    problem = problem_of(three_states(), seen)
    values = np.array([0.5, 0.1, 1.2, 30.0])
    loss, slopes = objective.exact_loss_and_gradient(problem, values)
    assert loss == pytest.approx(-2.0 * objective.log_likelihood(problem, values) / len(seen))
    for place, slope in enumerate(slopes):
        step = 1e-5 * values[place] * np.eye(4)[place]
        sides = [objective.log_likelihood(problem, values + s * step) for s in (1, -1)]
        difference = -2.0 * (sides[0] - sides[1]) / (2.0 * step[place]) / len(seen)
        assert slope == pytest.approx(difference, rel=1e-5)


def test_one_exponential_has_its_closed_form() -> None:
    seen = simulated_record(2000, 3, 0.0)
    problem = problem_of(sg.load(ROOT / "models" / "sbml" / "gating_two_states.xml"), seen)
    objective = DwellTimes(seen, CLASSES)
    best = np.array([1.0 / seen.of("1").mean(), 1.0 / seen.of("0").mean()])
    loss, slopes = objective.exact_loss_and_gradient(problem, best)
    expected = sum(mixture(seen.of(state), 1).log_likelihood for state in seen.states)
    assert loss == pytest.approx(-2.0 * expected / len(seen), rel=1e-12)
    assert slopes == pytest.approx([0.0, 0.0], abs=1e-12)


def test_dwells_that_are_not_usable_do_not_count() -> None:
    seen = simulated_record(300, 3, 0.025)
    usable = np.arange(len(seen)) % 3 > 0
    some = replace(seen, usable=usable)
    objective = DwellTimes(some, {"1": ("O",), "0": ("C", "P")})
    problem = problem_of(three_states(), some)
    assert objective.count(problem) == usable.sum()
    # Dwells are independent of their neighbours, so those left over can be joined to a record.
    kept = [some.of(state).size for state in some.states]
    assert objective.count(problem) == sum(kept)
    values = np.array([*TRUE.values()])
    whole = DwellTimes(seen, objective.classes)
    others = DwellTimes(replace(seen, usable=~usable), objective.classes)
    total = whole.log_likelihood(problem, values)
    parts = objective.log_likelihood(problem, values) + others.log_likelihood(problem, values)
    assert parts == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "classes", "words"),
    [
        (TWO, {"1": ("O",)}, "say for each"),
        (TWO, {"1": ("O", "C"), "0": ()}, "without a species"),
        (TWO, {"1": ("O",), "0": ("D",)}, "each of them"),
        ("O=2; C=0; k=1; O -> C; k*O; C -> O; k*C", CLASSES, "not one channel"),
        ("O=1; C=0; k=1; O -> C; k^2*O; C -> O; k*C", CLASSES, "not linear"),
    ],
)
def test_what_it_cannot_fit_is_refused(text: str, classes, words: str) -> None:
    seen = simulated_record(50, 1, 0.0)
    problem = problem_of(antimony(text), seen)
    with pytest.raises(sg.FitError, match=words):
        DwellTimes(seen, classes).check(problem)


def test_a_record_of_one_state_is_refused() -> None:
    lone = sg.Dwells(("1",), np.array([0]), np.array([2.0]), np.array([True]))
    with pytest.raises(sg.FitError, match="two states at least"):
        DwellTimes(lone, {"1": ("O", "C")}).check(problem_of(antimony(TWO), lone))


def test_a_state_without_a_usable_dwell_is_refused() -> None:
    seen = simulated_record(50, 1, 0.0)
    open_only = replace(seen, usable=seen.state_index == seen.states.index("1"))
    with pytest.raises(sg.FitError, match="usable dwell"):
        DwellTimes(open_only, CLASSES).check(problem_of(antimony(TWO), open_only))


def test_a_cycle_in_one_direction_has_a_likelihood_and_no_components() -> None:
    """Its shut dwells swing: they are no sum of exponentials, which only `components` wants."""
    model = antimony(
        "O=1; A=0; B=0; D=0; k=1; m=5; O -> A; k*O; D -> O; k*D;"
        "A -> B; m*A; B -> D; m*B; D -> A; m*D"
    )
    seen = simulated_record(50, 1, 0.0)
    objective = DwellTimes(seen, {"1": ("O",), "0": ("A", "B", "D")})
    problem = problem_of(model, seen)
    assert np.isfinite(objective.log_likelihood(problem, np.array([1.0, 5.0])))
    with pytest.raises(sg.FitError, match="not real"):
        objective.components(model, "0")


@pytest.mark.parametrize(
    ("rates", "words"),
    [("O -> D; k*O", "from D .* never comes to O"), ("O -> D; k*O; D -> O; z*D", "from D")],
)
def test_a_scheme_that_ends_is_refused(rates: str, words: str) -> None:
    """Without a step back, or with one that is fixed at a rate of 0."""
    seen = simulated_record(50, 1, 0.0)
    model = antimony(f"O=1; C=0; D=0; k=1; l=1; z=0; O -> C; k*O; C -> O; l*C; {rates}")
    objective = DwellTimes(seen, {"1": ("O",), "0": ("C", "D")})
    problem = plain_problem(model, seen, ["k", "l"])[0]
    with pytest.raises(sg.FitError, match=words):
        objective.check(problem)
    with pytest.raises(sg.GradientError, match="has no equilibrium"):
        objective.exact_loss_and_gradient(problem, np.array([1.0, 1.0]))


def test_a_start_without_a_likelihood_does_not_end_a_fit_of_many() -> None:
    """Starts lie about one at which rates all but leave no digits beside the longest dwell."""
    seen = simulated_record(50, 1, 0.0)
    edge = 2.0**MOST_POWERS / seen.of("1").max()
    result = sg.fit(
        antimony(TWO),
        seen,
        objective=DwellTimes(seen, CLASSES),
        start={"k": 0.5 * edge, "l": 0.1},
        bounds={"k": (1e-3, 1e3 * edge), "l": (1e-3, 1e3)},
        seed=1,
        starts=6,
        epochs=3,
        trajectories=2,
        evaluation_trajectories=2,
    )
    assert np.isfinite([*result.values.values()]).all()
    fates = [start.fate for start in result.failed_starts]
    assert 0 < len(fates) < 6
    assert all("no digits left" in fate for fate in fates)


@pytest.mark.parametrize(
    ("dead_time", "unit", "source", "name", "assumed"),
    [
        (0.025, "ms", "a.csv", "load_dwells('a.csv', dead_time=0.025, unit='ms')", "0.025 ms were"),
        (0.025, "", "a.csv", "load_dwells('a.csv', dead_time=0.025)", "0.025 were"),
        (
            0.0,
            "ms",
            "",
            "\"made in Python: 99 dwells, dead_time=0.0, unit='ms'\"",
            "every dwell was seen",
        ),
    ],
)
def test_what_the_record_knows_is_told(dead_time, unit, source, name, assumed) -> None:
    seen = replace(simulated_record(50, 1, 0.0), unit="")
    usable = seen.duration >= dead_time
    seen = replace(seen, usable=usable, dead_time=dead_time, unit=unit, source_name=source)
    objective = DwellTimes(seen, CLASSES)
    assert f"record={name}" in objective.name
    missed, _ = objective.check(problem_of(antimony(TWO), seen))
    assert assumed in missed
    assert "  " not in missed


def test_another_record_than_that_of_the_problem_is_refused() -> None:
    one, other = simulated_record(50, 1, 0.0), simulated_record(50, 2, 0.0)
    mine = replace(one, source_name="a.csv", sha256="a" * 64)
    theirs = replace(other, source_name="b.csv", sha256="b" * 64)
    with pytest.raises(sg.FitError, match=r"'a\.csv'.*'b\.csv'"):
        DwellTimes(mine, CLASSES).check(problem_of(antimony(TWO), theirs))


def test_records_are_told_apart_by_what_they_hold() -> None:
    one, other = simulated_record(50, 1, 0.0), simulated_record(50, 2, 0.0)
    mine, theirs = (DwellTimes(record, CLASSES) for record in (one, other))
    assert isinstance(mine, HoldsData)
    assert mine.name == theirs.name
    assert mine.digest != theirs.digest
    assert mine != theirs
    assert mine == DwellTimes(one, dict(CLASSES))


def test_a_checkpoint_of_another_record_is_refused(tmp_path) -> None:
    path = tmp_path / "checkpoint.npz"
    settings = {"seed": 1, "epochs": 2, "trajectories": 2, "evaluation_trajectories": 2}
    for seed in (1, 2):
        record = simulated_record(50, seed, 0.0)

        def run(record: sg.Dwells = record) -> sg.FitResult:
            objective = DwellTimes(record, CLASSES)
            return sg.fit(
                antimony(TWO), record, objective=objective, checkpoint=path, resume=True, **settings
            )

        if seed == 1:
            run()
            continue
        with pytest.raises(sg.FitError, match="other data"):
            run()


@pytest.fixture(scope="module")
def fitted() -> tuple[sg.FitResult, DwellTimes]:
    record = simulated_record(800, 5, 0.0)
    objective = DwellTimes(record, CLASSES)
    model = antimony(TWO)
    result = sg.fit(
        model, record, objective=objective, seed=1, trajectories=2, evaluation_trajectories=2
    )
    return result, objective


def test_intervals_are_those_of_exponentials(fitted) -> None:
    """The relative standard error of the rate of n exponential times is 1/√n."""
    result, objective = fitted
    found = sg.uncertainty(result, level=0.95, objective=objective)
    rates = [1.0 / objective.record.of(state).mean() for state in ("1", "0")]
    counts = np.array([objective.record.of(state).size for state in ("1", "0")])
    assert [result.values["k"], result.values["l"]] == pytest.approx(rates, rel=1e-3)
    relative = found.standard_errors / found.values
    assert relative == pytest.approx(1.0 / np.sqrt(counts), rel=1e-3)
    half = np.sqrt(found.upper / found.lower)
    assert half == pytest.approx(np.exp(1.95996 * relative), rel=1e-4)
    # Intervals lie around the optimum, which is nearer to these than where the descent ended.
    assert np.sqrt(found.upper * found.lower) == pytest.approx(rates, rel=1e-5)
    assert found.settings["information"] == "observed"
    assert found.settings["count"] == str(len(objective.record))


def test_a_result_is_saved_and_read(fitted, tmp_path) -> None:
    result, objective = fitted
    path = tmp_path / "fit.nc"
    sg.with_uncertainty(result, sg.uncertainty(result, objective=objective)).save(path)
    again = sg.load_result(path)
    assert dict(again.values) == dict(result.values)
    assert again.objective == objective.name
    other = sg.uncertainty(again, objective=objective)
    assert other.standard_errors == pytest.approx(again.uncertainty.standard_errors, rel=1e-9)


def test_there_is_nothing_to_draw_a_bootstrap_from(fitted) -> None:
    result, objective = fitted
    with pytest.raises(sg.FitError, match="no measurements or snapshots to draw from"):
        sg.uncertainty(result, "bootstrap", objective=objective, repeats=10)


def test_dwells_want_an_objective_and_no_columns() -> None:
    record = simulated_record(50, 1, 0.0)
    with pytest.raises(sg.RequestError, match=r"objective=DwellTimes\(dwells, classes\)"):
        sg.fit(antimony(TWO), record)
    with pytest.raises(sg.RequestError, match="DwellTimes"):
        sg.fit(antimony(TWO), record, objective=sg.fit.objectives.Moments())  # type: ignore[attr-defined]
    with pytest.raises(sg.FitError, match="has none to name"):
        sg.fit(antimony(TWO), record, mapping={"O": "O"}, objective=DwellTimes(record, CLASSES))
    with pytest.raises(sg.FitError, match="no snapshots"):
        sg.fit(antimony(TWO), record, objective=StateSpaceLikelihood())


def test_a_text_is_no_record() -> None:
    """Results name a record in words, from which it cannot be made again."""
    with pytest.raises(FitError, match="pass the dwells themselves"):
        DwellTimes("made in Python: 12 dwells", {"1": ("O",)})  # type: ignore[arg-type]
