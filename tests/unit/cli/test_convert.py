"""`sbmlgrad convert`: files, options that do not go together, and nothing lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from constructs import CONSTRUCTS
from networks import MODELS
from sbml_text import model, rule, species

import sbmlgrad as sg
from sbmlgrad.cli.app import BAD_INPUT, OK, run
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.io.sbml.normalised import normalised_sbml

DIMER = str(MODELS / "dimerization.xml")


@pytest.fixture
def written(tmp_path: Path):
    def write(name: str) -> str:
        path = tmp_path / "model.xml"
        path.write_text(CONSTRUCTS[name], encoding="utf-8")
        return str(path)

    return write


def test_antimony_and_back(tmp_path, capsys) -> None:
    text, back = tmp_path / "m.ant", tmp_path / "m.xml.gz"
    assert run(["convert", DIMER, str(text)]) == OK
    assert f"written to {text}: Antimony, numbers to 15 digits" in capsys.readouterr().out
    assert run(["convert", str(text), str(back), "--quiet"]) == OK
    assert capsys.readouterr().out == ""
    assert sg.load(back).parameter_values.tolist() == sg.load(DIMER).parameter_values.tolist()


def test_levels(tmp_path, written, capsys) -> None:
    out = tmp_path / "out.xml"
    assert run(["convert", written("level 1"), str(out), "--level", "3.2"]) == OK
    assert "SBML, level 3 version 2" in capsys.readouterr().out
    assert 'level="3" version="2"' in out.read_text()
    assert sg.load(out).species_ids == ("X",)


def test_models_that_cannot_be_loaded_can_be_converted(tmp_path) -> None:
    text = model(
        species=[species("X", constant="false"), species("Y")],
        rules=[rule("algebraic", None, "X + Y - 10")],
    )
    source, out = tmp_path / "m.xml", tmp_path / "o.xml"
    source.write_text(text)
    assert "algebraic_rule" in {i.code for i in sg.check(source)}
    assert run(["convert", str(source), str(out), "--level", "3.2"]) == OK
    assert "<algebraicRule>" in out.read_text()


def test_normalised(tmp_path, written, capsys) -> None:
    out = tmp_path / "n.xml"
    assert (
        run(["convert", written("locals, functions, boundaries"), str(out), "--normalised"]) == OK
    )
    assert "normalised" in capsys.readouterr().out
    network = sg.load(CONSTRUCTS["locals, functions, boundaries"])
    assert out.read_bytes() == normalised_sbml(lower(network))
    other = tmp_path / "n.ant"
    assert run(["convert", DIMER, str(other), "--normalised", "--quiet"]) == OK
    assert len(sg.load(other).reactions) == 2


def test_submodels_are_kept_or_merged_but_not_in_silence(tmp_path, written, capsys) -> None:
    source, out = written("composed"), tmp_path / "out.xml"
    assert run(["convert", source, str(out), "--quiet"]) == OK
    assert out.read_text() == CONSTRUCTS["composed"]
    flat = tmp_path / "flat.xml"
    assert run(["convert", source, str(flat), "--level", "3.2"]) == BAD_INPUT
    assert "--flatten" in capsys.readouterr().err
    assert not flat.exists()
    assert run(["convert", source, str(tmp_path / "m.ant")]) == BAD_INPUT
    assert run(["convert", source, str(flat), "--flatten", "--quiet"]) == OK
    assert "submodel" not in flat.read_text()
    assert sg.load(flat) == sg.load(CONSTRUCTS["composed"])


def test_a_dry_run_checks_and_writes_nothing(tmp_path, written, capsys) -> None:
    source = written("priorities")
    out = tmp_path / "out.xml"
    assert run(["convert", source, str(out), "--level", "3.2", "--dry-run"]) == OK
    assert f"would write to {out}: SBML, level 3 version 2" in capsys.readouterr().out
    assert run(["convert", source, str(out), "--level", "2.4", "--dry-run"]) == BAD_INPUT
    assert "riority" in capsys.readouterr().err
    assert not out.exists()


def test_the_model_itself_is_overwritten_on_request_only(written, capsys) -> None:
    source = written("birth and death")
    before = Path(source).read_bytes()
    link = Path(source).with_name("link.xml")
    link.symlink_to(source)
    for target in (source, str(link)):
        assert run(["convert", source, target, "--level", "3.2"]) == BAD_INPUT
        assert "--overwrite" in capsys.readouterr().err
        assert Path(source).read_bytes() == before
    assert run(["convert", source, source, "--level", "3.2", "--overwrite", "--quiet"]) == OK
    assert b'level="3" version="2"' in Path(source).read_bytes()


BAD = [
    (["convert", DIMER, "m.ant", "--level", "3.2"], "Antimony has no levels"),
    (["convert", DIMER, "m.xml", "--level", "3"], "such as 3.2"),
    (["convert", DIMER, "m.xml", "--level", "4.1"], "choose from"),
    (["convert", DIMER, "m.xml", "--substance", "mole"], "--normalised"),
    (["convert", DIMER, "m.doc"], "unknown kind"),
    (["convert", DIMER, "no/m.xml"], "does not exist"),
    (["convert", "none.xml", "m.xml"], "no such file"),
    (["convert", str(MODELS / "sir.xml"), "m.ant"], "'gamma'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_input_is_one_clear_message(arguments, message, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == BAD_INPUT
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert not list(tmp_path.iterdir())
