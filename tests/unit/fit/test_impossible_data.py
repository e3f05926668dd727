"""Measurements that their noise cannot give: named with time and scale by exact simulation too."""

from __future__ import annotations

import pytest
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.errors import FitError, GradientError
from sbmlgrad.fit.problems.mapped import mapped_problem
from sbmlgrad.io.mapping_file import load_mapping
from sbmlgrad.io.tables.measurements import load_measurements

NETWORK = antimony("species A, B; A = 100; B = 0; k = 0.5; J: A -> B; k*A;")
HEAD = "observableId\tnoiseDistribution\tnoiseFormula\n"
SHORT = {"trajectories": 16, "epochs": 1, "seed": 1}

CASES = {
    "logarithm of 0": (
        "B\tlog-normal\t0.1\n",
        "time,B\n0,1\n1,30\n",
        "'B' at time 0: measured 1, predicted 0, noise log-normal with scale 0.1: "
        "the prediction 0 is not positive",
    ),
    "share of 0": (
        "B\tnormal\t0.1*B\n",
        "time,B\n0,1\n1,30\n",
        "'B' at time 0: measured 1, predicted 0, noise normal with scale 0: "
        "its scale (standard deviation) must be positive",
    ),
    "more than all": (
        "A\tbinomial\t60\n",
        "time,A\n0,50\n9,0\n",
        "'A' at time 0: measured 50, predicted 100, noise binomial with scale 60: "
        "more is predicted than there are trials",
    ),
    "counts where none can be": (
        "B\tpoisson\t\n",
        "time,B\n0,1\n1,30\n",
        "'B' at time 0: measured 1, predicted 0, noise poisson: "
        "a prediction of 0 allows no other value",
    ),
}


def problem_in(folder, noise: str, data: str, **how):
    (folder / "map.tsv").write_text(HEAD + noise)
    (folder / "d.csv").write_text(data)
    measured = load_measurements(folder / "d.csv")
    return mapped_problem(NETWORK, measured, load_mapping(folder / "map.tsv", NETWORK), **how)


@pytest.mark.parametrize("case", CASES)
def test_exact_simulation_says_what_the_rate_equations_say(tmp_path, case) -> None:
    noise, data, said = CASES[case]
    problem = problem_in(tmp_path, noise, data)
    for how in (SHORT, {"engine": ODE(), "seed": 1}):
        with pytest.raises(FitError) as caught:
            sg.fit(problem, **how)
        assert "1 of 2 measurements have no finite log-density" in str(caught.value)
        assert said in str(caught.value)


def test_a_budget_of_time_refuses_nothing_more(tmp_path) -> None:
    """Gradients that are taken to compile have too few trajectories to tell what is possible."""
    few = antimony("species A, B; A = 100; B = 0; k = 0.01; J: A -> B; k*A;")
    (tmp_path / "map.tsv").write_text(HEAD + "B\tpoisson\t\n")
    (tmp_path / "d.csv").write_text("time,B\n0.1,1\n1,2\n5,6\n")
    measured = load_measurements(tmp_path / "d.csv")
    problem = mapped_problem(few, measured, load_mapping(tmp_path / "map.tsv", few), ["k"])
    how = {"trajectories": 200, "epochs": 2, "seed": 1, "refine": False}
    how["evaluation_trajectories"] = 200
    plain, limited = sg.fit(problem, **how), sg.fit(problem, **how, max_seconds=1e4)
    assert dict(limited.values) == dict(plain.values)


def test_a_start_at_which_data_are_impossible_says_why_it_was_given_up(tmp_path) -> None:
    problem = problem_in(
        tmp_path,
        "A\tbinomial\tn\n",
        "time,A\n1,50\n2,30\n",
        start={"n": 120.0},
        bounds={"n": (20.0, 900.0)},
    )
    result = sg.fit(problem, trajectories=16, epochs=2, seed=3, starts=6, refine=False)
    assert any("than there are trials" in start.fate for start in result.starts)
    assert any(start.fate == "best" for start in result.starts)


def test_trials_that_are_fitted_may_start_at_a_fraction(tmp_path) -> None:
    free = problem_in(tmp_path, "A\tbinomial\tn\n", "time,A\n1,5\n2,3\n", start={"n": 150.5})
    assert sg.fit(free, **SHORT, refine=False).values["n"] != 150.5
    held = problem_in(
        tmp_path, "A\tbinomial\tn\n", "time,A\n1,5\n2,3\n", free=["k"], start={"n": 150.5}
    )
    with pytest.raises(FitError, match=r"'n', which is 150\.5; give a whole number"):
        sg.fit(held, **SHORT)


def test_a_time_far_out_is_doubted_where_the_fit_fails(tmp_path) -> None:
    # The adjoint overflows where the last molecule has long been gone.
    network = antimony("species A, B; A = 100; B = 0; k = 0.5; J: A -> B; k*A; D: B -> ; k*B*B")
    (tmp_path / "d.csv").write_text("time,A\n0,100\n1e20,1\n3,4\n")
    with pytest.raises(GradientError, match=r"at time 1e\+20, more than 1e\+06 times later .* 3: "):
        sg.fit(network, load_measurements(tmp_path / "d.csv"), ["k"], **SHORT)
