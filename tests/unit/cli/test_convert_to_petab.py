"""A model and a sheet of measurements become a folder of PEtab files that others can read."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from networks import antimony
from petab.v2.lint import ValidationIssueSeverity, lint_problem

import sbmlgrad as sg
from sbmlgrad.cli.app import BAD_INPUT, OK, run
from sbmlgrad.cli.convert import PetabConversion, write_petab_folder
from sbmlgrad.errors import DataError, ParameterError, WriteError
from sbmlgrad.fit.rate_equations.likelihood import predict
from sbmlgrad.io.petab import load_petab

MODEL = (
    "species A in cell, B in cell; A = 100; B = 0; k = 0.5; d = 0.1; J: A -> B; k*A; D: B -> ; d*B;"
)
SHEET = "time [h],A,B\n0,100,0\n1,61,36\n1,59,38\n2,36.5,55\n"


@pytest.fixture
def files(tmp_path):
    sg.save(antimony(MODEL), tmp_path / "model.xml")
    (tmp_path / "data.csv").write_text(SHEET)

    def conversion(**options):
        return PetabConversion(tmp_path / "model.xml", tmp_path / "data.csv", **options)

    return conversion


def test_sheets_become_problems(files, tmp_path) -> None:
    out = tmp_path / "out"
    what, assumed = write_petab_folder(files(free=["k"], bounds={"k": (0.01, 10.0)}), out)
    assert what == "PEtab 2, 8 measurements of 2 observables, 1 parameters to estimate"
    assert len(assumed) == 2
    problem = load_petab(out / "problem.yaml")
    assert [(p.id, p.lower, p.upper) for p in problem.free] == [("k", 0.01, 10.0)]
    assert [o.id for o in problem.observables] == ["A", "B"]
    m = problem.measurements
    assert m.value.tolist() == [100.0, 61.0, 59.0, 36.5, 0.0, 36.0, 38.0, 55.0]
    assert (m.time_unit, m.condition[0]) == ("h", "")
    with warnings.catch_warnings():
        # The library uses what its own dependencies call deprecated.
        warnings.simplefilter("ignore")
        found = lint_problem(out / "problem.yaml")
    assert [str(i) for i in found if i.level > ValidationIssueSeverity.WARNING] == []


def test_columns_can_be_mapped_and_left_out(files, tmp_path) -> None:
    write_petab_folder(
        files(free=["k"], reading={"mapping": {"A": "B", "B": None}}), tmp_path / "out"
    )
    problem = load_petab(tmp_path / "out" / "problem.yaml")
    assert problem.measurements.observables == ("B",)


def test_labels_of_conditions_become_ids_and_names(files, tmp_path) -> None:
    text = (
        "time,observable,value,condition\n0,A,100,10 nM Epo\n1,A,60,10 nM Epo\n2,A,35,10 nM Epo\n"
    )
    conversion = files(free=["k"])
    conversion.data.write_text(text)
    write_petab_folder(conversion, tmp_path / "out")
    problem = load_petab(tmp_path / "out" / "problem.yaml")
    assert [(e.id, e.name) for e in problem.experiments] == [("_10_nM_Epo", "10 nM Epo")]
    assert set(problem.measurements.condition) == {"_10_nM_Epo"}


CONDITIONS = "time,observable,value,condition\n" + "".join(
    f"{t},A,{v},{c}\n" for c in ("1 nM", "1-nM", "_1_nM") for t, v in ((0, 100), (1, 60))
)
MAPPING = """[[observables]]
observableId = "seen"
formula = "A"
column = "A"
scale = "gain"
noiseFormula = "5"
[[conditions]]
conditionId = "1 nM"
values = { d = 0.2 }
[[conditions]]
conditionId = "1-nM"
values = { d = "d_low" }
[[conditions]]
conditionId = "_1_nM"
"""


def test_several_conditions_are_described_by_a_mapping_file(files, tmp_path, capsys) -> None:
    conversion, out = files(), tmp_path / "out"
    conversion.data.write_text(CONDITIONS)
    (tmp_path / "map.toml").write_text(MAPPING)
    command = ["convert", str(conversion.model), str(out), "--data", str(conversion.data)]
    command += ["--free", "k,d_low,gain"]
    assert run(command) == BAD_INPUT
    assert "d_low" in capsys.readouterr().err  # it means something with a mapping file only
    command += ["--mapping", str(tmp_path / "map.toml")]
    assert run(command) == BAD_INPUT
    assert "uses d_low, gain, which the model has not" in capsys.readouterr().err
    command += ["--start", "gain=0.5", "--start", "d_low=0.1", "--bounds", "d_low=0.01:1"]
    assert run(command) == OK
    assert "6 measurements of 1 observables, 3 parameters to estimate" in capsys.readouterr().out
    problem = load_petab(out / "problem.yaml")
    assert {p.id: (p.nominal, p.lower, p.upper) for p in problem.free} == {
        "k": (0.5, pytest.approx(5e-4), pytest.approx(500.0)),
        "d_low": (0.1, 0.01, 1.0),
        "gain": (0.5, pytest.approx(5e-4), pytest.approx(500.0)),
    }
    # A label that is an id keeps it, and labels that would become the same one are told apart.
    names = {e.name or e.id: e.id for e in problem.experiments}
    assert names == {"_1_nM": "_1_nM", "1 nM": "_1_nM_2", "1-nM": "_1_nM_3"}
    values = {e.id: dict(e.periods[0].values) for e in problem.experiments}
    assert values["_1_nM"] == {}
    assert values["_1_nM_2"].keys() == values["_1_nM_3"].keys() == {"d"}
    predicted = predict(problem, {"k": 0.5, "gain": 0.5, "d_low": 0.1}).predicted
    m = problem.measurements
    assert predicted == pytest.approx(0.5 * 100.0 * np.exp(-0.5 * m.time), rel=1e-4)
    with warnings.catch_warnings():
        # The library uses what its own dependencies call deprecated.
        warnings.simplefilter("ignore")
        found = lint_problem(out / "problem.yaml")
    assert [str(i) for i in found if i.level > ValidationIssueSeverity.WARNING] == []


def test_bounds_start_and_columns_are_given_as_for_a_fit(files, tmp_path) -> None:
    conversion, out = files(), tmp_path / "out"
    conversion.data.write_text("clock;Protein;remark\n0:00;100,5;x\n1:30;61;\n")
    command = ["convert", str(conversion.model), str(out), "--data", str(conversion.data)]
    command += ["--free", "k", "--bounds", "k=0.1:2", "--start", "k=0.4", "--clock", "h:mm"]
    command += ["--time-column", "clock", "--map", "Protein=B", "--map", "remark="]
    assert run([*command, "--time-unit", "min", "--quiet"]) == OK
    problem = load_petab(out / "problem.yaml")
    assert [(p.id, p.nominal, p.lower, p.upper) for p in problem.free] == [("k", 0.4, 0.1, 2.0)]
    m = problem.measurements
    assert (m.observables, m.time.tolist(), m.value.tolist()) == (("B",), [0, 90], [100.5, 61])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bounds", "k=1:2"], "convert --bounds: means something with --data only"),
        (["--sheet", "P", "--map", "A="], "convert --map, --sheet: mean something with --data"),
        (["--mapping", "map.toml"], "convert --mapping: means something with --data only"),
        (["--data", "data.csv", "--level", "3.2"], "leave out --level"),
        (["--data", "data.csv", "--bounds", "k=1"], "write LOW:HIGH"),
        (["--data", "data.csv", "--mapping", "map.toml", "--map", "A="], "leave out --map"),
        (["--data", "data.csv", "--plate-map", "p.csv"], "--plate-map needs the layout"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    files, tmp_path, options, message, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    files()
    assert run(["convert", "model.xml", "out", *options]) == BAD_INPUT
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_dry_runs_write_nothing(files, tmp_path) -> None:
    what, _ = write_petab_folder(files(free=["k"]), tmp_path / "out", dry_run=True)
    assert what.startswith("PEtab 2")
    assert not (tmp_path / "out").exists()


def test_what_does_not_fit_together_is_refused_before_anything_is_written(files, tmp_path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ParameterError, match="kk"):
        write_petab_folder(files(free=["kk"]), out)
    with pytest.raises(DataError, match="nothing_such"):
        write_petab_folder(files(reading={"mapping": {"A": "nothing_such"}}), out)
    conversion = files(free=["k"])
    with pytest.raises(WriteError, match="is a file"):
        write_petab_folder(conversion, conversion.data)
    assert not out.exists()


@pytest.mark.parametrize(
    ("renamed", "arguments", "kept"),
    [
        ({"data.csv": "measurements.tsv"}, "m.xml . --data measurements.tsv", "measurements.tsv"),
        ({"m.xml": "model.xml"}, "model.xml . --data data.csv", "model.xml"),
        ({}, "m.xml . --data data.csv --mapping map.toml", "map.toml"),
    ],
)
def test_files_that_are_read_are_not_replaced(
    tmp_path, renamed, arguments, kept, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    sg.save(antimony(MODEL), "m.xml")
    (tmp_path / "data.csv").write_text("time\tA\n0\t100\n1\t60\n")
    (tmp_path / "map.toml").write_text(MAPPING.partition("[[conditions]]")[0])
    # Writing follows links.
    (tmp_path / "observables.tsv").symlink_to("map.toml")
    if "mapping" not in arguments:
        (tmp_path / "observables.tsv").unlink()
    for old, new in renamed.items():
        (tmp_path / old).rename(new)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    command = ["convert", *arguments.split(), "--free", "k"]
    command += ["--start", "gain=0.5"] if "mapping" in arguments else []
    # For the model there is an option, and for nothing else.
    overwriting = [] if kept == "model.xml" else [["--overwrite"]]
    for extra in ([], ["--dry-run"], *overwriting):
        assert run([*command, *extra]) == BAD_INPUT
        assert f"{kept}: is read" in capsys.readouterr().err
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_the_model_is_replaced_by_its_problem_if_that_is_asked(files, tmp_path) -> None:
    conversion = files(free=["k"])
    command = ["convert", str(conversion.model), str(tmp_path), "--data", str(conversion.data)]
    assert run([*command, "--free", "k", "--overwrite", "--quiet"]) == OK
    assert load_petab(tmp_path / "problem.yaml").network == sg.load(conversion.model)


def test_tables_of_somebody_are_replaced_only_if_that_is_asked(files, tmp_path, capsys) -> None:
    conversion = files(free=["k"])
    own = tmp_path / "own"
    own.mkdir()
    (own / "parameters.tsv").write_text("mine")
    command = ["convert", str(conversion.model), str(own), "--data", str(conversion.data)]
    command += ["--free", "k", "--quiet"]
    assert run(command) == BAD_INPUT
    assert "parameters.tsv: is there already" in capsys.readouterr().err
    assert {p.name: p.read_text() for p in own.iterdir()} == {"parameters.tsv": "mine"}
    assert run([*command, "--overwrite"]) == OK
    assert load_petab(own / "problem.yaml").free[0].id == "k"
