"""PEtab 1 problems: every construct arrives as what it means."""

from __future__ import annotations

import math

import pytest

from sbmlgrad.io.petab import load_petab
from sbmlgrad.io.petab.formulas import petab_formula
from sbmlgrad.model.expression import Number, Symbol
from sbmlgrad.model.priors import Prior


@pytest.fixture
def problem(petab_folder):
    return load_petab(petab_folder())


def test_parameters(problem) -> None:
    k, scale_1, scale_2, start, sd = problem.parameters
    assert (k.id, k.nominal, k.lower, k.upper, k.scale) == ("k", 0.5, 1e-3, 1e3, "log10")
    assert k.name == "k_{on}"
    assert (scale_1.scale, scale_2.scale, scale_2.lower) == ("log", "lin", 0.0)
    assert not start.is_estimated
    assert (start.lower, start.upper) == (-math.inf, math.inf)
    assert problem.free == (k, scale_1, scale_2, sd)
    assert k.prior is None


def test_observables_with_several_sets_of_parameters_become_variants(problem) -> None:
    ids = [(o.id, o.base) for o in problem.observables]
    assert ids == [
        ("both", "both"),
        ("made__1", "made"),
        ("made__2", "made"),
        ("left", "left"),
    ]
    first, second = problem.observable["made__1"], problem.observable["made__2"]
    assert first.formula == petab_formula("scale_1*B + 0.1")
    assert second.formula == petab_formula("scale_2*B + 0.1")


def test_transformed_observables_scatter_on_the_natural_scale(problem) -> None:
    both, first, second, left = (o.noise for o in problem.observables)
    assert (both.distribution, both.scale) == ("normal", Number(1.0))
    assert first.distribution == second.distribution == "log-normal"
    # Standard deviations of decadic logarithms.
    assert first.scale == petab_formula(f"sd*{math.log(10.0)!r}")
    assert second.scale == Number(0.3 * math.log(10.0))
    # Natural logarithms as they are; the observable's own id stands for its formula.
    assert left.distribution == "log-laplace"
    assert left.scale == petab_formula("0.1*(A/half)")


def test_conditions_become_experiments(problem) -> None:
    assert [e.id for e in problem.experiments] == ["low", "rest__high", "high"]
    low, pre, high = problem.experiments
    assert low.name == "low dose"
    assert dict(low.periods[0].values) == {"a0": Symbol("start"), "u": Number(0.0)}
    assert dict(high.periods[0].values) == {"a0": Number(20.0), "u": Number(0.5), "B": Number(4.0)}
    assert [period.start for period in pre.periods] == [-math.inf, 0.0]
    assert dict(pre.periods[0].values) == {"a0": Number(10.0), "u": Number(1.0)}
    assert dict(pre.periods[1].values) == dict(high.periods[0].values)


def test_parameters_set_before_only_go_back_to_the_model(petab_folder, replaced) -> None:
    text = replaced(1, "conditions.tsv", "high;;20;0.5;4", "high;;20;NaN;")
    pre = load_petab(petab_folder(conditions=text)).experiment["rest__high"]
    assert dict(pre.periods[1].values) == {"a0": Number(20.0), "u": Number(0.0)}


def test_measurements(problem) -> None:
    m = problem.measurements
    assert m.observables == ("both", "made__1", "made__2", "left")
    assert m.time.tolist() == [0.0, 0.0, 4.0, 2.0, 3.0, 2.0, 2.0]
    assert m.value.tolist() == [11.0, 11.5, 9.0, 5.0, 6.0, 7.0, 7.0]
    assert m.condition == ("low", "low", "rest__high", "low", "low", "high", "high")
    assert m.replicate == ("1", "2", "1", "1", "1", "1", "1")
    assert m.source_name == "measurements.tsv"
    assert len(m.sha256) == 64
    assert problem.settings["datasets"] == ("d1", "d1", "d2", "d1", "d1", "d3", "d3")


def test_priors(petab_folder) -> None:
    text = """
parameterId;parameterScale;lowerBound;upperBound;nominalValue;estimate;objectivePriorType;objectivePriorParameters;initializationPriorType;initializationPriorParameters
k;log10;1e-3;1e3;0.5;1;parameterScaleNormal;-0.3,0.2;parameterScaleUniform;-1,0
scale_1;log;0.1;10;2;1;logNormal;0.7,0.1;;
scale_2;lin;0;10;3;1;laplace;3,1;uniform;1,4
start;lin;;;12;0;;;;
sd;log10;0.01;10;0.2;1;parameterScaleUniform;;normal;0.2,0.05
"""
    k, scale_1, scale_2, _, sd = load_petab(petab_folder(parameters=text)).parameters
    # Arguments on the decadic scale stay there.
    assert k.prior == Prior("normal", (-0.3, 0.2), on_scale=True)
    assert k.start_prior == Prior("uniform", (-1.0, 0.0), on_scale=True)
    assert scale_1.prior == Prior("log-normal", (0.7, 0.1))
    assert scale_2.prior == Prior("laplace", (3.0, 1.0))
    assert scale_2.start_prior == Prior("uniform", (1.0, 4.0))
    # Uniform within the bounds says nothing.
    assert sd.prior is None
    assert sd.start_prior == Prior("normal", (0.2, 0.05))


def test_missing_nominal_values_start_in_the_middle_of_the_scale(petab_folder, replaced) -> None:
    text = replaced(1, "parameters.tsv", "1e-3;1e3;0.5;1", "1e-3;1e1;;1")
    text = text.replace("lin;0;10;3;1", "lin;0;10;;1")
    k, _, scale_2, *_ = load_petab(petab_folder(parameters=text)).parameters
    assert k.nominal == pytest.approx(0.1)
    assert scale_2.nominal == 5.0


def test_conditions_may_use_parameters_of_the_model(petab_folder, replaced) -> None:
    text = replaced(1, "conditions.tsv", "low;low dose;start;0;", "low;low dose;d;0;")
    problem = load_petab(petab_folder(conditions=text))
    added = problem.parameters[-1]
    assert (added.id, added.nominal, added.is_estimated) == ("d", 0.1, False)


def test_visualisation_is_kept(petab_folder, replaced) -> None:
    yaml = replaced(
        1, "problem.yaml", "  sbml_files", "  visualization_files: [plots.tsv]\n  sbml_files"
    )
    plots = "plotId;yValues\np1;both\n"
    problem = load_petab(petab_folder(problem=yaml, plots=plots))
    assert problem.settings["visualization"] == {"plots.tsv": "plotId\tyValues\np1\tboth\n"}
