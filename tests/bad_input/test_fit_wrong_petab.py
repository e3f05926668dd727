"""`sbmlgrad fit` of PEtab problems that are wrong: file, row and column are named."""

from __future__ import annotations

import pytest
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.cli.app import run
from sbmlgrad.cli.exit import BAD_INPUT, OK

FILES = {
    "problem.yaml": "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n"
    "- condition_files: [conditions.tsv]\n  measurement_files: [measurements.tsv]\n"
    "  observable_files: [observables.tsv]\n  sbml_files: [model.xml]\n",
    "parameters.tsv": "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\t"
    "estimate\tobjectivePriorType\tobjectivePriorParameters\nk\tlin\t0.01\t10\t0.5\t1\tnormal\t0.5;0.2\n",
    "conditions.tsv": "conditionId\nc\n",
    "observables.tsv": "observableId\tobservableFormula\tnoiseFormula\nseen\tA\t1\n",
    "measurements.tsv": "observableId\tsimulationConditionId\tmeasurement\ttime\nseen\tc\t9\t1\n",
}

# Kind → file, what stands there, what instead (None: no such file), what must be said.
KINDS: dict[str, tuple[str, str, str | None, list[str]]] = {
    "missing table": ("measurements.tsv", "", None, ["measurements.tsv", "no such file"]),
    "table not named": (
        "problem.yaml",
        "  measurement_files: [measurements.tsv]\n",
        "",
        ["problem.yaml", "'measurement_files'"],
    ),
    "no YAML": ("problem.yaml", "problems:", "problems: [", ["problem.yaml", "line 4"]),
    "missing column": ("measurements.tsv", "\ttime", "\ttim", ["measurements.tsv", "'time'"]),
    "text for a number": (
        "measurements.tsv",
        "\t9\t",
        "\tmany\t",
        ["measurements.tsv, row 2, column measurement", "'many'"],
    ),
    "infinite value": (
        "measurements.tsv",
        "\t9\t",
        "\tinf\t",
        ["measurements.tsv, row 2, column measurement", "inf"],
    ),
    "unknown observable": (
        "measurements.tsv",
        "seen\t",
        "sen\t",
        ["measurements.tsv, row 2, column observableId", "'sen'", "'seen'"],
    ),
    "bounds upside down": ("parameters.tsv", "0.01\t10", "10\t0.01", ["'k' has bounds"]),
    "start outside": ("parameters.tsv", "\t0.5\t1", "\t50\t1", ["'k' starts at 50"]),
    "estimated of nothing": (
        "parameters.tsv",
        "\nk\t",
        "\nzz\tlin\t0.01\t10\t0.5\t1\tnormal\t0.5;0.2\nk\t",
        ["cannot act", "'zz': nothing that was measured depends on it"],
    ),
    "unknown prior": (
        "parameters.tsv",
        "\tnormal\t",
        "\tgaussian\t",
        ["parameters.tsv, row 2, column objectivePriorType", "'gaussian'"],
    ),
    "too few numbers of a prior": (
        "parameters.tsv",
        "0.5;0.2",
        "0.5",
        ["parameters.tsv, row 2, column objectivePriorParameters", "standard deviation"],
    ),
    "negative width of a prior": (
        "parameters.tsv",
        "0.5;0.2",
        "0.5;-0.2",
        ["parameter 'k'", "standard deviation -0.2", "above 0"],
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = antimony("species A in cell; A = 10; k = 0.5; J: A -> ; k*A;")
    sg.save(model, tmp_path / "model.xml")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


ARGUMENTS = ["fit", "problem.yaml", "--engine", "ode", "--out", "out"]


def test_the_problem_that_kinds_differ_from_is_fine(folder, capsys) -> None:
    assert run([*ARGUMENTS, "--dry-run"]) == OK


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_names_its_place_and_leaves_nothing(folder, capsys, kind) -> None:
    name, old, new, said = KINDS[kind]
    if new is None:
        (folder / name).unlink()
    else:
        assert FILES[name].count(old) == 1
        (folder / name).write_text(FILES[name].replace(old, new))
    before = sorted(path.name for path in folder.iterdir())
    assert run(ARGUMENTS) == BAD_INPUT
    message = capsys.readouterr().err
    for fragment in said:
        assert fragment in message
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("value", "code"), [("-1", "negative_initial_count"), ("9.5", "non_integer_initial_count")]
)
def test_a_condition_whose_count_cannot_be_is_named_with_its_row(
    folder, capsys, value, code
) -> None:
    (folder / "conditions.tsv").write_text(f"conditionId\tA\nc\t{value}\n")
    # Priors have no meaning beside means.
    bare = FILES["parameters.tsv"].replace("\tnormal\t0.5;0.2", "\t\t")
    (folder / "parameters.tsv").write_text(bare)
    assert run(["fit", "problem.yaml", "--out", "out", "--dry-run"]) == BAD_INPUT
    message = capsys.readouterr().err
    assert f"conditions.tsv, row 2: under condition 'c', which sets A = {value}" in message
    assert code in message
    assert "(line" not in message


def test_what_is_not_estimated_may_be_of_nothing(folder, capsys) -> None:
    more = FILES["parameters.tsv"] + "zz\tlin\t0.01\t10\t0.5\t0\t\t\n"
    (folder / "parameters.tsv").write_text(more)
    assert run([*ARGUMENTS, "--dry-run"]) == OK


def test_what_a_problem_says_itself_is_not_said_twice(folder, capsys) -> None:
    assert run([*ARGUMENTS, "--free", "k"]) == BAD_INPUT
    assert "problem.yaml is a PEtab problem, which says this itself" in capsys.readouterr().err
