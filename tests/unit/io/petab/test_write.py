"""`write_petab`: what is written reads back the same, and the library finds nothing wrong."""

from __future__ import annotations

import csv
import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from networks import antimony
from petab.v2.lint import ValidationIssueSeverity, lint_problem

import sbmlgrad as sg
from sbmlgrad.errors import RequestError, WriteError
from sbmlgrad.io.petab import load_petab, write_petab, write_simulations
from sbmlgrad.io.petab.formulas import petab_formula
from sbmlgrad.io.petab.priors import of_value
from sbmlgrad.model.expression import Apply, Number, Symbol
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import Experiment, Observable, Period, Problem, ProblemParameter
from sbmlgrad.model.snapshots import Snapshots

LN10 = math.log(10.0)
PARTS = ("network", "observables", "measurements", "parameters", "experiments", "name", "settings")


def assert_same(first: Problem, second: Problem) -> None:
    for part in PARTS:
        assert getattr(first, part) == getattr(second, part), part


def small(**changed) -> Problem:
    """Return a problem with everything that PEtab itself has no word for."""
    network = antimony("species A in cell; A = 100; k = 0.5; J: A -> ; k*A;")
    problem = Problem(
        network=network,
        observables=(
            Observable("seen__1", petab_formula("s*A"), Noise("laplace", petab_formula("0.1*A")),
                       name="seen", unit="AU", base="seen"),
            Observable("seen__2", petab_formula("2*s*A"), base="seen"),
            Observable("never", petab_formula("piecewise(A, A > 1 && time < 3, 1)"), base="never"),
        ),
        measurements=Measurements(
            observables=("seen__1", "seen__2"),
            time=np.array([0.1, 1.0, 1.0]),
            observable_index=np.array([0, 0, 1]),
            value=np.array([1 / 3, 4.0, 1e-17]),
            replicate=("1", "b", "1"),
            condition=("fast", "fast", "slow"),
            time_unit="h",
            units=("AU", ""),
        ),
        parameters=(
            ProblemParameter("k", 0.5, 1e-3, 1e3, "log10", True,
                             Prior("normal", (-0.1, 0.3), on_scale=True),
                             Prior("uniform", (-1.0, 1 / 3), on_scale=True), "rate", "1/h"),
            ProblemParameter("s", 1.0, -math.inf, math.inf, "lin", True,
                             Prior("cauchy", (0.0, 1.0)), Prior("gamma", (2.0, 0.5))),
            ProblemParameter("fixed", -3.0, scale="log", is_estimated=False),
        ),
        experiments=(
            Experiment("fast", (Period(-math.inf, {"k": Number(2.0)}),
                                Period(0.0, {"A": Symbol("s")}),
                                Period(2.5, {"k": petab_formula("-s^2")})), "a name"),
            Experiment("slow", (Period(0.0, {"k": Number(2.0)}),)),
        ),
        name="A small one",
        settings={"trajectories": 400, "seed": 5, "estimator": "two_sided_adjoint",
                  "objective": "mean", "datasets": ("d1", "", "d2"),
                  "visualization": {"plots.tsv": "plotId\tdatasetId\np\td1\n"}},
    )  # fmt: skip
    return replace(problem, **changed)


def errors_of(path) -> list[str]:
    """Return what the library's own checks hold against a problem."""
    with warnings.catch_warnings():
        # The library uses what its own dependencies call deprecated.
        warnings.simplefilter("ignore")
        found = lint_problem(path)
    return [str(issue) for issue in found if issue.level > ValidationIssueSeverity.WARNING]


def test_everything_reads_back(tmp_path) -> None:
    problem = small()
    path = write_petab(problem, tmp_path / "new" / "folder")
    assert path.name == "problem.yaml"
    assert_same(load_petab(path), problem)


@pytest.mark.parametrize("version", [1, 2])
def test_loaded_problems_read_back_and_pass_the_checks_of_the_library(
    version, petab_folder, tmp_path
) -> None:
    problem = load_petab(petab_folder(version))
    path = write_petab(problem, tmp_path / "out")
    again = load_petab(path)
    if version == 1:
        # Their hash and name are those of the new file.
        problem = replace(problem, name=again.name)
    assert_same(again, problem)
    assert errors_of(path) == []
    twice = write_petab(again, tmp_path / "twice")
    for file in path.parent.iterdir():
        assert (twice.parent / file.name).read_bytes() == file.read_bytes(), file.name


def test_numbers_of_numpy_are_written_as_numbers(tmp_path) -> None:
    three = np.float64(3.25)
    prior = Prior("normal", (three, three), on_scale=True)
    problem = small(
        parameters=(ProblemParameter("k", three, np.float64(0.5), three, "log", True, prior, prior),
                    *small().parameters[1:]),
        experiments=(Experiment("fast", (Period(0.0, {"A": Number(three)}),)),
                     Experiment("slow", (Period(np.float64(0.25), {"A": petab_formula("s")}),))),
        settings={"trajectories": np.int64(5), "rates": (three, 2)},
    )  # fmt: skip
    again = load_petab(write_petab(problem, tmp_path))
    assert_same(again, replace(problem, settings={"trajectories": 5, "rates": [3.25, 2]}))


def test_options_of_loading_read_back(petab_folder, tmp_path) -> None:
    problem = load_petab(petab_folder(2), initial="round", mass_action="combinatorial")
    again = load_petab(write_petab(problem, tmp_path / "out"))
    assert (again.network.initial, again.network.mass_action) == ("round", "combinatorial")


def test_local_parameters_read_back(tmp_path) -> None:
    from sbml_text import model, reaction, species

    text = model(reaction("J", "h*X", "X", local={"h": 0.5}), species=[species("X")])
    network = sg.load(text)
    problem = Problem(
        network=network,
        observables=(Observable("seen", petab_formula("X"), base="seen"),),
        measurements=Measurements(
            ("seen",), np.array([1.0]), np.array([0]), np.array([3.0]), ("1",), ("e",)
        ),
        parameters=(ProblemParameter("J.h", 0.5, 0.1, 1.0),),
        experiments=(Experiment("e", (Period(0.0, {"J.h": Number(2.0)}),)),),
        name="local",
    )
    path = write_petab(problem, tmp_path)
    assert (tmp_path / "mapping.tsv").read_text() == "petabEntityId\tmodelEntityId\nJ__h\tJ.h\n"
    assert_same(load_petab(path), problem)


def test_observables_called_like_a_symbol_of_the_model_get_another_name(tmp_path) -> None:
    first, *others = small().observables
    m = small().measurements
    problem = small(
        observables=(replace(first, id="A", base="A"), *others),
        measurements=replace(m, observables=("A", "seen__2")),
    )
    path = write_petab(problem, tmp_path)
    names = [line.split("\t")[0] for line in (tmp_path / "observables.tsv").read_text().split("\n")]
    assert names[1:4] == ["observed_A", "seen__2", "never"]
    assert_same(load_petab(path), problem)


def test_parameters_that_some_conditions_set_are_written_apart_from_the_symbol(tmp_path) -> None:
    """PEtab allows no parameter that a condition sets, so each experiment says which it takes."""
    fast, slow = small().experiments
    own = Experiment("own", (Period(0.0), Period(1.0, {"k": petab_formula("2*k")})))
    used = small().parameters[:2]
    problem = small(parameters=used, experiments=(fast, slow, own))
    path = write_petab(problem, tmp_path)
    table = (tmp_path / "parameters.tsv").read_text()
    assert table.split("\n")[1].startswith("k_value\t")
    changes = (tmp_path / "conditions.tsv").read_text()
    assert "k\tk_value\n" in changes
    assert "k\t2.0 * k_value\n" in changes
    assert errors_of(path) == []
    assert_same(load_petab(path), problem)
    with pytest.raises(WriteError, match="without an id"):
        write_petab(small(experiments=(fast, slow, Experiment(""))), tmp_path)


@pytest.mark.parametrize(
    ("prior", "scale", "expected"),
    [
        (Prior("normal", (-1.0, 0.5), True), "log10", ("log-normal", (-LN10, LN10 / 2))),
        (Prior("normal", (-1.0, 0.5), True), "log", ("log-normal", (-1.0, 0.5))),
        (Prior("normal", (-1.0, 0.5), True), "lin", ("normal", (-1.0, 0.5))),
        (Prior("laplace", (1.0, 2.0), True), "log10", ("log-laplace", (LN10, 2 * LN10))),
        (Prior("uniform", (-1.0, 2.0), True), "log10", ("log-uniform", (0.1, 100.0))),
        (Prior("uniform", (0.0, 1.0), True), "log", ("log-uniform", (1.0, math.e))),
        (Prior("normal", (1.0, 2.0)), "log10", ("normal", (1.0, 2.0))),
    ],
)  # fmt: skip
def test_priors_on_a_scale_are_written_as_those_of_the_value(prior, scale, expected) -> None:
    found = of_value(prior, scale)
    assert (found.distribution, found.on_scale) == (expected[0], False)
    assert found.arguments == pytest.approx(expected[1])


def test_priors_on_a_scale_have_the_same_quantiles_as_those_of_the_value() -> None:
    import scipy.stats as st

    written = of_value(Prior("normal", (-0.4, 0.3), True), "log10")
    mean, deviation = written.arguments
    shares = [0.1, 0.5, 0.9]
    on_scale = 10.0 ** st.norm(-0.4, 0.3).ppf(shares)
    assert st.lognorm(deviation, scale=math.exp(mean)).ppf(shares) == pytest.approx(on_scale)


def test_predictions_are_written_beside_measurements(tmp_path) -> None:
    problem = small()
    predicted = [1.5, 1 / 3, 2.0]
    path = tmp_path / "simulations.tsv"
    write_simulations(problem, predicted, path)
    rows = list(csv.DictReader(path.read_text().splitlines(), delimiter="\t"))
    m = problem.measurements
    assert [float(row["simulation"]) for row in rows] == predicted
    assert [float(row["time"]) for row in rows] == m.time.tolist()
    assert [row["observableId"] for row in rows] == ["seen__1", "seen__1", "seen__2"]
    assert [row["datasetId"] for row in rows] == ["d1", "", "d2"]
    with pytest.raises(RequestError, match=r"shape \(2,\) for 3 measurements"):
        write_simulations(problem, predicted[:2], path)


def test_labels_of_experiments_become_ids_that_are_told_apart(tmp_path) -> None:
    labels = {"fast": "0.1 nM", "slow": "0,1 nM"}
    fast, slow = (replace(e, id=labels[e.id]) for e in small().experiments)
    m = small().measurements
    measured = replace(m, condition=tuple(labels[c] for c in m.condition))
    third = Experiment("_0_1_nM", (Period(0.0, {"k": Number(3.0)}),))
    problem = small(measurements=measured, experiments=(fast, slow, third))
    path = write_petab(problem, tmp_path / "out")
    again = load_petab(path)
    assert [(e.id, e.name) for e in again.experiments] == [
        ("_0_1_nM_2", "a name"),
        ("_0_1_nM_3", "0,1 nM"),
        ("_0_1_nM", ""),
    ]
    assert [e.periods for e in again.experiments] == [e.periods for e in problem.experiments]
    seen = zip(again.measurements.condition, again.measurements.value.tolist(), strict=True)
    assert sorted(seen) == [("_0_1_nM_2", 1 / 3), ("_0_1_nM_2", 4.0), ("_0_1_nM_3", 1e-17)]
    assert again.settings["datasets"] == ("d1", "", "d2")
    assert errors_of(path) == errors_of(write_petab(small(), tmp_path / "with ids"))


ON_SCALE = Prior("gamma", (1.0, 1.0), on_scale=True)


def with_parameter(id: str = "q", **details) -> dict:
    return {"parameters": (*small().parameters, ProblemParameter(id, 1.0, 0.1, 2.0, **details))}


def with_experiment(*args) -> dict:
    return {"experiments": (*small().experiments, Experiment(*args))}


def with_first_observable(**details) -> dict:
    first, *others = small().observables
    return {"observables": (replace(first, **details), *others)}


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        (with_first_observable(noise=Noise("poisson")), "poisson noise"),
        (with_first_observable(formula=Apply("floor", (Symbol("A"),))), "floor"),
        (with_parameter("a b"), "'a b'"),
        (with_parameter(prior=ON_SCALE), "'gamma' on the"),
        (with_parameter(start_prior=ON_SCALE), "'gamma' on the"),
        (with_experiment("", (Period(0.0, {"k": Number(1.0)}),)), "without an id"),
        (
            {"snapshots": Snapshots(("seen__1",), np.zeros(1), np.ones((1, 1)), ("fast",))},
            "single cells",
        ),
        ({"settings": {"engine": object()}}, "'engine'"),
        ({"settings": {"required": True}}, "'required'"),
        ({"settings": {"visualization": {"model.xml": ""}}}, "'model.xml'"),
    ],
)
def test_what_petab_cannot_say_is_refused_and_nothing_is_written(changed, word, tmp_path) -> None:
    with pytest.raises(WriteError, match=word):
        write_petab(small(**changed), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_things_are_no_problems(tmp_path) -> None:
    with pytest.raises(RequestError, match="pass a Problem"):
        write_petab("problem.yaml", tmp_path)
