"""`sbmlgrad fit --omex`: the archive holds data, problem, model and results, and says so."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

import sbmlgrad as sg
from sbmlgrad.cli.app import run
from sbmlgrad.cli.exit import BAD_INPUT, OK
from sbmlgrad.cli.fit_archive import data_entries
from sbmlgrad.errors import UnreadableFileError
from sbmlgrad.fit.report import FILES
from sbmlgrad.io.omex import PETAB
from sbmlgrad.io.petab import load_petab

MODEL = "species X in cell; X = 0; a = 2; mu = 0.4; B: -> X; a; D: X -> ; mu*X; cell = 1;"
DATA = "time,X\n1,1.5\n1,1.8\n2,2.7\n2,2.9\n4,4.2\n4,3.9\n"
CELLS = "time,X\n" + "".join(f"2,{n}\n" for n in (3, 1, 2, 4, 2, 3, 5, 2))
MAPPING = (
    '[[observables]]\nobservableId = "dim"\nformula = "share * X"\ncolumn = "X"\n'
    'noiseDistribution = "normal"\nnoiseFormula = "0.2"\n'
)
LEVEL_1 = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="old">
<listOfCompartments><compartment name="cell" volume="1"/></listOfCompartments>
<listOfSpecies><species name="X" compartment="cell" initialAmount="9"/></listOfSpecies>
<listOfParameters><parameter name="k" value="0.5"/></listOfParameters>
<listOfReactions><reaction name="J" reversible="false">
<listOfReactants><speciesReference species="X"/></listOfReactants>
<kineticLaw formula="k*X"/></reaction></listOfReactions>
</model></sbml>
"""
FIT = ["fit", "m.ant", "raw/d.csv", "--free", "a", "--engine", "ode", "--seed", "1", "--quiet"]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    Path("m.ant").write_text(MODEL)
    Path("raw/d.csv").write_text(DATA)
    Path("cells.csv").write_text(CELLS)
    Path("map.toml").write_text(MAPPING)


def formats(path: str) -> dict[str, str]:
    """Return location → format, of a manifest that lists exactly what is in the archive."""
    with zipfile.ZipFile(path) as archive:
        root = etree.fromstring(archive.read("manifest.xml"))
        names = {f"./{name}" for name in archive.namelist()}
    listed = {one.get("location"): one.get("format") for one in root}
    assert set(listed) == names | {"."}
    return listed


def test_data_and_problem_are_packed_and_named(tmp_path) -> None:
    assert run([*FIT, "--out", "r", "--omex", "a.omex"]) == OK
    listed = formats("a.omex")
    assert listed["./petab/problem.yaml"] == PETAB[2]
    assert listed["./data/d.csv"].endswith("text/csv")
    assert not any(place.startswith("./results/petab") for place in listed)
    assert {"./model.xml", "./original.xml", "./results/report.html"} <= set(listed)
    with zipfile.ZipFile("a.omex") as archive:
        assert archive.read("data/d.csv") == DATA.encode()
        archive.extractall(tmp_path / "out")
    again = load_petab(tmp_path / "out" / "petab" / "problem.yaml")
    fitted = sg.load_result("r/fit.nc").problem
    for part in ("network", "observables", "measurements", "parameters", "experiments", "name"):
        assert getattr(again, part) == getattr(fitted, part), part
    more = {k: v for k, v in again.settings.items() if k not in ("visualization", "datasets")}
    assert more == dict(fitted.settings)
    # The same problem has the same answer.
    repeated = sg.fit(again, engine=sg.engines.ODE(), seed=1)
    assert repeated.values == pytest.approx(dict(sg.load_result("r/fit.nc").values), rel=1e-9)


def test_a_problem_of_petab_is_packed_with_its_tables(tmp_path) -> None:
    assert run(["convert", "m.ant", "p", "--data", "raw/d.csv", "--free", "a", "--quiet"]) == OK
    arguments = ["fit", "p/problem.yaml", "--engine", "ode", "--quiet"]
    assert run([*arguments, "--out", "r", "--omex", "a.omex"]) == OK
    with zipfile.ZipFile("a.omex") as archive:
        assert archive.read("data/measurements.tsv") == Path("p/measurements.tsv").read_bytes()
        archive.extractall(tmp_path / "out")
    given, again = load_petab("p/problem.yaml"), load_petab("out/petab/problem.yaml")
    for part in ("network", "observables", "measurements", "parameters", "experiments", "name"):
        assert getattr(again, part) == getattr(given, part), part


def test_the_file_that_says_what_columns_are_is_data_too() -> None:
    arguments = ["fit", "m.ant", "raw/d.csv", "--mapping", "map.toml", "--free", "a,share"]
    arguments += ["--start", "share=0.9", "--engine", "ode", "--quiet"]
    assert run([*arguments, "--out", "r", "--omex", "a.omex"]) == OK
    assert {"./data/d.csv", "./data/map.toml"} <= set(formats("a.omex"))


def test_files_of_one_name_are_kept_apart(tmp_path) -> None:
    (tmp_path / "d.csv").write_text("another")
    found = data_entries([tmp_path / "raw" / "d.csv", None, tmp_path / "d.csv", Path("raw/d.csv")])
    assert {e.location: e.data for e in found} == {
        "data/d.csv": DATA.encode(),
        "data/2/d.csv": b"another",
    }


def test_data_are_packed_as_they_lie_on_the_disk(tmp_path) -> None:
    packed = gzip.compress(DATA.encode(), mtime=0)
    (tmp_path / "raw" / "blob").write_bytes(packed)
    (tmp_path / "counts.csv.gz").symlink_to(tmp_path / "raw" / "blob")
    found = data_entries([Path("counts.csv.gz")])
    assert {e.location: e.data for e in found} == {"data/counts.csv.gz": packed}
    with pytest.raises(UnreadableFileError, match="nowhere"):
        data_entries([Path("nowhere.csv")])


def test_only_the_files_of_this_fit_are_packed() -> None:
    Path("r/deep").mkdir(parents=True)
    for name in ("notes.txt", "fit.png.bak", "deep/own.csv"):
        Path("r", name).write_text("mine")
    for _ in range(2):  # the second time with the first archive beside the results
        assert run([*FIT, "--out", "r", "--omex", "r/a.omex"]) == OK
        results = {p.rpartition("/")[2] for p in formats("r/a.omex") if "./results/" in p}
        assert results == {name for name in FILES if name != "petab"}


def test_a_problem_is_not_fitted_into_its_own_folder(capsys) -> None:
    convert = ["convert", "m.ant", "--data", "raw/d.csv", "--free", "a", "--quiet"]
    assert run([*convert, "p"]) == OK
    assert run([*convert, "petab"]) == OK
    Path("petab/problem.yaml").rename("petab/mine.yaml")
    Path("raw/m.ant").write_text(MODEL)
    Path("raw/d.csv").rename("raw/parameters.tsv")
    Path("raw/parameters.tsv").write_text(DATA.replace(",", "\t"))
    everything = {p: p.read_bytes() for p in Path().rglob("*") if p.is_file()}
    for words, message in (
        ("p/problem.yaml --out p", "called parameters.tsv"),
        ("m.ant raw/parameters.tsv --free a --out raw", "called parameters.tsv"),
        ("petab/mine.yaml --out .", "lies in 'petab'"),
        ("p/problem.yaml --out .", "model.xml: is there already"),
    ):
        for extra in ([], ["--dry-run"]):
            assert run(["fit", *words.split(), "--engine", "ode", *extra]) == BAD_INPUT
            assert message in capsys.readouterr().err, words
    assert {p: p.read_bytes() for p in Path().rglob("*") if p.is_file()} == everything


def test_what_is_said_of_reading_the_model_wins_over_the_problem(capsys) -> None:
    model = MODEL.replace("X = 0", "X = 0.4")
    Path("m.ant").write_text(model)
    convert = ["convert", "m.ant", "p", "--data", "raw/d.csv", "--free", "a", "--quiet"]
    assert run([*convert, "--substance", "item", "--initial", "round"]) == OK
    fit = ["fit", "p/problem.yaml", "--out", "r", "--substance", "item", "--dry-run", "--quiet"]
    assert run(fit) == OK
    assert run([*fit, "--initial", "strict"]) == BAD_INPUT
    assert "0.4" in capsys.readouterr().err


def test_what_petab_cannot_say_is_told(capsys) -> None:
    arguments = ["fit", "m.ant", "cells.csv", "--snapshots", "--free", "a", "--epochs", "1"]
    arguments += ["--trajectories", "20", "--seed", "1", "--out", "r", "--omex", "a.omex"]
    assert run(arguments) == OK
    told = capsys.readouterr().err
    assert "there is no PEtab problem in the results" in told
    assert "snapshots of single cells" in told
    listed = formats("a.omex")
    assert "./data/cells.csv" in listed
    assert not any("petab" in place for place in listed)


def test_level_1_is_refused_before_the_fit(capsys) -> None:
    assert run([*FIT, "--level", "1.2", "--out", "r", "--omex", "a.omex"]) == BAD_INPUT
    told = capsys.readouterr().err
    assert "SBML has ids from level 2 on" in told
    assert "leave out --omex" in told
    assert not Path("r").exists()


def test_a_model_of_level_1_that_stays_one_is_refused_before_the_fit(capsys) -> None:
    Path("old.xml").write_text(LEVEL_1)
    arguments = ["fit", "old.xml", "raw/d.csv", "--free", "k", "--engine", "ode", "--quiet"]
    assert run([*arguments, "--out", "r", "--omex", "a.omex"]) == BAD_INPUT
    assert "SBML level 1" in capsys.readouterr().err
    assert not Path("r").exists()
    assert run([*arguments, "--level", "3", "--out", "r", "--omex", "a.omex"]) == OK
    assert formats("a.omex")["./model.xml"].endswith("sbml.level-3.version-2")
    assert run([*arguments, "--out", "s"]) == OK


def test_a_problem_of_the_results_is_not_fitted_into_the_same_results(capsys) -> None:
    assert run([*FIT, "--out", "r"]) == OK
    again = ["fit", "r/petab/problem.yaml", "--engine", "ode", "--quiet", "--out"]
    assert run([*again, "r"]) == BAD_INPUT
    assert "choose another folder" in capsys.readouterr().err
    assert run([*again, "s"]) == OK
    first, second = sg.load_result("r/fit.nc"), sg.load_result("s/fit.nc")
    assert second.values == pytest.approx(dict(first.values), rel=1e-9)


def test_files_that_no_fit_left_are_kept(capsys) -> None:
    Path("a.omex").write_text("mine")
    assert run([*FIT, "--out", "r", "--omex", "a.omex"]) == BAD_INPUT
    assert "a.omex: is there already and no fit has packed it" in capsys.readouterr().err
    assert Path("a.omex").read_text() == "mine"
    for name in ("report.html", "parameters.tsv", "uncertainty.jsonl", "checkpoint.npz"):
        folder = Path(name.partition(".")[0])
        folder.mkdir()
        (folder / name).write_text("mine")
        assert run([*FIT, "--out", str(folder)]) == BAD_INPUT
        assert f"{folder / name}: is there already" in capsys.readouterr().err
        assert [f.name for f in folder.iterdir()] == [name]
        assert (folder / name).read_text() == "mine"


def test_an_archive_of_a_fit_is_replaced() -> None:
    for _ in range(2):
        assert run([*FIT, "--out", "r", "--omex", "a.omex"]) == OK
