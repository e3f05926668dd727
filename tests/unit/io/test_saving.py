"""`save` and its options."""

from __future__ import annotations

from pathlib import Path

import pytest
from calibrated_models import all_parameters, calibrated
from networks import shipped
from written_documents import libsbml_document

import sbmlgrad as sg
from sbmlgrad.errors import RequestError


def fitted() -> sg.ReactionNetwork:
    model = shipped("telegraph")
    return calibrated(model, all_parameters(model))


@pytest.mark.parametrize(
    ("options", "level", "package"),
    [
        ({}, (3, 2), True),
        ({"distrib": False}, (3, 1), False),
        ({"distrib": False, "level": 2}, (2, 5), False),
        ({"distrib": False, "level": 2, "version": 4}, (2, 4), False),
        ({"level": 3, "version": 1}, (3, 1), True),
        ({"level": 3}, (3, 2), True),
    ],
)
def test_options_decide_level_and_package(
    options: dict[str, int], level: tuple[int, int], package: bool, tmp_path: Path
) -> None:
    model = fitted()
    sg.save(model, tmp_path / "model.xml", **options)
    document = libsbml_document((tmp_path / "model.xml").read_bytes())
    assert (document.getLevel(), document.getVersion()) == level
    assert (document.getModel().getPlugin("distrib") is not None) == package
    assert sg.load(tmp_path / "model.xml") == model


def test_a_model_without_a_fit_keeps_its_level(tmp_path: Path) -> None:
    model = shipped("telegraph")
    sg.save(model, tmp_path / "model.xml")
    assert (tmp_path / "model.xml").read_bytes() == model.source


def test_antimony_gets_the_values(tmp_path: Path) -> None:
    model = fitted()
    sg.save(model, tmp_path / "model.ant")
    again = sg.load(tmp_path / "model.ant")
    assert again.parameter_values == pytest.approx(model.parameter_values, rel=1e-14)


@pytest.mark.parametrize("options", [{"level": 3}, {"level": 3, "version": 2}, {"version": 2}])
def test_antimony_has_no_levels(options: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no levels"):
        sg.save(fitted(), tmp_path / "model.ant", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="distrib=False"):
        sg.save(fitted(), tmp_path / "model.xml", level=2)
    assert list(tmp_path.iterdir()) == []
