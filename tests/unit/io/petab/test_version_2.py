"""PEtab 2 problems: every construct arrives as what it means."""

from __future__ import annotations

import math

import pytest

import sbmlgrad as sg
from sbmlgrad.io.petab import load_petab
from sbmlgrad.io.petab.formulas import petab_formula
from sbmlgrad.model.expression import Apply, Number, Symbol
from sbmlgrad.model.priors import Prior


@pytest.fixture
def problem(petab_folder):
    return load_petab(petab_folder(2))


def test_parameters(problem) -> None:
    k, scale_1, scale_2, start, sd = problem.parameters
    assert problem.name == "small"
    assert k.prior == Prior("log-normal", (-0.7, 0.5))
    # The scale of the search is the tool's choice: logarithmic where bounds allow it.
    assert [p.scale for p in problem.parameters] == ["log", "log", "lin", "lin", "log"]
    assert scale_1.prior is None
    assert scale_2.prior == Prior("uniform", (0.0, 10.0))
    assert not start.is_estimated
    assert sd.prior == Prior("gamma", (2.0, 0.1))
    assert sd.nominal == pytest.approx(math.sqrt(0.1))


def test_observables_have_named_placeholders(problem) -> None:
    both, first, second = problem.observables
    assert (both.id, first.id, second.id) == ("both", "made__1", "made__2")
    assert first.formula == petab_formula("scale_1*B + 0.1")
    assert (first.noise.distribution, first.noise.scale) == ("log-normal", Symbol("sd"))
    assert second.noise.scale == Number(0.3)


def test_experiments_have_periods(problem) -> None:
    assert [e.id for e in problem.experiments] == ["once", "twice", ""]
    twice = problem.experiment["twice"].periods
    assert [period.start for period in twice] == [-math.inf, 0.0, 2.5]
    assert dict(twice[0].values) == {"u": Number(1.0)}
    # Two conditions at one time are one period.
    assert dict(twice[2].values) == {"A": petab_formula("2*start"), "B": Number(4.0)}
    as_it_is = problem.experiment[""].periods
    assert [(period.start, dict(period.values)) for period in as_it_is] == [(0.0, {})]


def test_replicates_keep_their_labels(problem) -> None:
    assert problem.measurements.replicate == ("a", "b", "1", "1", "1")


def test_local_parameters_are_mapped(tmp_path, petab_folder, replaced) -> None:
    yaml = replaced(
        2, "problem.yaml", "parameter_files", "mapping_files: [mapping.tsv]\nparameter_files"
    )
    parameters = replaced(2, "parameters.tsv", "sd;0.01", "local_k;0.01;5;1;true;;\nsd;0.01")
    path = petab_folder(
        2,
        problem=yaml,
        parameters=parameters,
        mapping="petabEntityId;modelEntityId\nlocal_k;L.k\n",
        observables=replaced(2, "observables.tsv", "both;A + B;1", "both;A + B*local_k;1"),
    )
    model = sg.load(tmp_path / "model.xml").source.decode()
    law = "<kineticLaw><math xmlns='http://www.w3.org/1998/Math/MathML'><ci>k</ci></math>{}</kineticLaw>"
    local = "<listOfLocalParameters><localParameter id='k' value='1'/></listOfLocalParameters>"
    reaction = (
        f"<reaction id='L' reversible='false'>{law.format(local)}</reaction></listOfReactions>"
    )
    (tmp_path / "model.xml").write_text(model.replace("</listOfReactions>", reaction))
    problem = load_petab(path)
    assert "L.k" in [p.id for p in problem.parameters]
    product = Apply("times", (Symbol("B"), Symbol("L.k")))
    assert problem.observable["both"].formula == Apply("plus", (Symbol("A"), product))


def test_settings_come_from_our_extension(petab_folder, replaced) -> None:
    extension = (
        "extensions: {sbmlgrad: {version: 1.0.0, required: false, trajectories: 500, seed: 3, "
        "estimator: two_sided_adjoint, objective: mean, time_unit: h, name: Small one}, "
        "other: {version: 1.0.0, required: false}}\nparameter_files"
    )
    yaml = replaced(2, "problem.yaml", "parameter_files", extension)
    problem = load_petab(petab_folder(2, problem=yaml))
    assert dict(problem.settings) == {
        "trajectories": 500,
        "seed": 3,
        "estimator": "two_sided_adjoint",
        "objective": "mean",
    }
    assert problem.name == "Small one"
    assert problem.measurements.time_unit == "h"


def test_options_of_loading_are_passed_on(petab_folder) -> None:
    network = load_petab(petab_folder(2), initial="round", mass_action="combinatorial").network
    assert (network.initial, network.mass_action) == ("round", "combinatorial")
