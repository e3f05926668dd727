"""What would give wrong values without a word: followers, bounds, starts, streams."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from networks import antimony, network

import sbmlgrad as sg
from sbmlgrad.errors import DataError, FitError, ParameterError
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.problems.mapped import mapped_problem
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.problems.reach import check_reach
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.io.mapping_file import load_mapping
from sbmlgrad.model.expression import Number
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.problem import Experiment, Period, ProblemParameter


def measured(values=(37.0, 27.0), times=(1.0, 2.0), name: str = "A") -> Measurements:
    n = len(values)
    return Measurements(
        (name,), np.array(times), np.zeros(n, int), np.array(values), ("1",) * n, ("",) * n
    )


def following():
    return antimony("A = 50; k1 = 0.1; k2 = 2*k1; J: A -> ; (k1 + k2)*A")


def test_parameters_that_follow_a_moved_one_are_refused() -> None:
    """Exact simulation would hold k2 where the model has it, while the model lets it follow."""
    model = following()
    with pytest.raises(FitError, match="'k2' is set by an initial assignment that uses k1"):
        plain_problem(model, measured(), ["k1"])
    free = plain_problem(model, measured(), ["k1", "k2"])[0]
    for parameters, periods in (
        ((ProblemParameter("k1", 0.1, 0.01, 1.0),), ()),
        ((ProblemParameter("k1", 0.3, is_estimated=False),), ()),
        ((), (Period(0.0, {"k1": Number(0.3)}),)),
    ):
        experiment = Experiment("", periods or (Period(),))
        made = dataclasses.replace(free, parameters=parameters, experiments=(experiment,))
        with pytest.raises(FitError, match="'k2' is set by an initial assignment that uses k1"):
            prepared(made)
    unmoved = (ProblemParameter("k1", 0.1, is_estimated=False),)
    prepared(dataclasses.replace(free, parameters=unmoved))


@pytest.mark.parametrize(
    "formulas", ["s = 6*k", "r := 2*k; s = r*3", "r := 2*k; q = 3*r; s := q", "s = J", "s = 6*held"]
)
def test_parameters_follow_through_rules_and_laws_too(formulas) -> None:
    """What lies between an initial assignment and a moved parameter makes no difference."""
    model = antimony(
        f"species X; X = 0; k = 1; held = 2; {formulas}; J: -> X; k; D: -> X; s; L: X -> ; 0.5*X"
    )
    if "held" in formulas:
        assert [p.id for p in plain_problem(model, measured(name="X"), ["k"])[0].free] == ["k"]
        return
    follower = "q" if "q" in formulas else "s"
    with pytest.raises(FitError, match=f"'{follower}' is set by an initial assignment that uses k"):
        plain_problem(model, measured(name="X"), ["k"])


def test_conditions_without_data_free_nothing(tmp_path) -> None:
    """Their own values are never used: a fit would refuse what nobody asked for."""
    model = antimony("species X; X = 5; k = 1; d = 0.1; J: -> X; k; L: X -> ; d*X")
    (tmp_path / "map.toml").write_text(
        '[[observables]]\nobservableId = "X"\nnoiseFormula = "1"\n'
        '[[observables]]\ncolumn = "note"\n'
        + "".join(
            f'[[conditions]]\nconditionId = "{id}"\nvalues = {{{values}}}\n'
            for id, values in (("A", "k = 1"), ("B", "k = 2"), ("C", "d = 1"))
        )
    )
    mapping = load_mapping(tmp_path / "map.toml", model)

    def freed(columns, where, **options) -> list[str]:
        n = len(where)
        data = Measurements(
            ("X", "note"), np.ones(n), np.array(columns, int), np.ones(n), ("1",) * n, where
        )
        made = mapped_problem(model, data, mapping, **options)
        check_reach(made)
        return [p.id for p in made.free]

    assert freed([0, 0], ("A", "B")) == ["d"]
    # A column that is left out measures nothing.
    assert freed([0, 0, 1], ("A", "B", "C")) == ["d"]
    assert freed([0, 0, 0], ("A", "B", "C")) == ["k", "d"]
    # Cells are no measurements.
    assert freed([], (), conditions=["A", "B"]) == ["d"]
    assert freed([], ()) == ["k", "d"]


def test_small_values_are_not_at_their_bounds() -> None:
    model = network("immigration_death").with_parameters({"mu": 3e-9})
    made = plain_problem(model, measured(name="X"), ["mu"], bounds={"mu": (1e-10, 1e-7)})[0]
    space = search_space(made)
    assert space.at_bounds(np.array([3e-9])) == ()
    assert space.at_bounds(np.array([1e-10])) == ("mu",)
    assert space.at_bounds(np.array([1e-7])) == ("mu",)


def test_a_start_without_a_finite_loss_does_not_end_the_others() -> None:
    """A death rate so fast that no molecule is left has no logarithm; other starts have one."""
    model = antimony("A = 40; k = 0.1; J: A -> ; k*A")
    made = plain_problem(model, measured(), ["k"], bounds={"k": (0.005, 100.0)})[0]
    seen = dataclasses.replace(made.observables[0], noise=Noise("log-normal", Number(0.2)))
    made = dataclasses.replace(made, observables=(seen,))
    space_start = dataclasses.replace(made.parameters[0], nominal=2.0)
    made = dataclasses.replace(made, parameters=(space_start,))
    result = sg.fit(
        made,
        starts=8,
        epochs=14,
        trajectories=32,
        seed=1,
        engine=sg.engines.Native(threads=1, kernel="table"),
    )
    assert any("finite" in start.fate for start in result.starts)
    assert np.isfinite(result.loss)


def test_evaluation_takes_other_streams_than_a_descent_on_common_ones(monkeypatch) -> None:
    from sbmlgrad.fit.simulated import Simulator

    model = network("immigration_death")
    seen: list[int] = []
    call = Simulator.__call__

    def noted(self, values, trajectories, first, **named):
        seen.append(first)
        return call(self, values, trajectories, first, **named)

    monkeypatch.setattr(Simulator, "__call__", noted)
    sg.fit(
        model,
        measured(name="X"),
        free=["alpha"],
        estimator=sg.gradients.TwoSidedAdjoint(),
        common_random_numbers=True,
        epochs=3,
        trajectories=16,
        evaluation_trajectories=32,
        seed=1,
    )
    descent, evaluation = seen[1:4], seen[4:]
    assert set(descent) == {0}
    assert min(evaluation) >= 3 * 16


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"free": ["s"], "start": {"s": 2.0, "alpha": 3.0}}, FitError, "alpha: has bounds or a"),
        ({"free": ["s"], "start": {"s": 2.0, "nonsense": 3.0}}, ParameterError, "nonsense"),
        (
            {"free": ["alpha"], "start": {"s": 2.0}, "bounds": {"s": (1.0, 4.0)}},
            FitError,
            "s: has bounds or a start",
        ),
        ({"free": ["s"]}, FitError, "uses s, which the model has not"),
        ({"free": ["s"], "start": {"s": -1.0}}, FitError, "starts at -1"),
    ],
)
def test_values_that_would_vanish_are_refused(tmp_path, options, error, message) -> None:
    model = network("immigration_death")
    path = tmp_path / "map.toml"
    path.write_text(
        '[[observables]]\nobservableId = "seen"\nformula = "s * X"\nnoiseFormula = "1"\n'
        'column = "X"\n'
    )
    mapping = load_mapping(path, model)
    with pytest.raises(error, match=message):
        mapped_problem(model, measured(name="X"), mapping, **options)
    made = mapped_problem(model, measured(name="X"), mapping, ["alpha"], start={"s": 2.0})
    assert [p.id for p in made.free] == ["alpha"]


def test_formulas_do_not_lose_symbols_to_units(tmp_path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('[[observables]]\nobservableId = "seen"\nformula = "2 X"\nnoiseFormula = "1"\n')
    with pytest.raises(DataError, match="2 X"):
        load_mapping(path, network("immigration_death"))
