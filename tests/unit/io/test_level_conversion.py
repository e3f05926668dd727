"""Documents in other levels and versions say the same, to the last digit, or are refused."""

from __future__ import annotations

from dataclasses import replace

import libsbml
import pytest
from constructs import CONSTRUCTS
from networks import MODELS
from sbml_text import event, model, parameter, reaction, species

import sbmlgrad as sg
from sbmlgrad.errors import RequestError, UnsupportedModelError, WriteError
from sbmlgrad.io.sbml.exact_text import exact_bytes
from sbmlgrad.io.sbml.levels import TARGETS, at_level, flattened, has_submodels
from sbmlgrad.io.sbml.losses import refuse_losses
from sbmlgrad.model.expression import Number

SHIPPED = {path.stem: path.read_text(encoding="utf-8") for path in sorted(MODELS.glob("*.xml"))}
FLAT = {name: text for name, text in {**SHIPPED, **CONSTRUCTS}.items() if name != "composed"}


def level_of(data: bytes) -> tuple[int, int]:
    document = libsbml.readSBMLFromString(data.decode())
    assert document.getNumErrors(libsbml.LIBSBML_SEV_ERROR) == 0
    return document.getLevel(), document.getVersion()


@pytest.mark.parametrize("name", FLAT)
def test_everything_can_be_level_3_version_2(name: str) -> None:
    converted = at_level(FLAT[name].encode(), 3, 2)
    assert level_of(converted) == (3, 2)
    before, after = sg.load(FLAT[name]), sg.load(converted.decode())
    assert refuse_losses(before, after, "itself") is None
    assert after.parameter_values.tolist() == pytest.approx(
        before.parameter_values.tolist(), rel=0.0, abs=0.0, nan_ok=True
    )


@pytest.mark.parametrize(("level", "version"), [(2, 4), (2, 5), (3, 1)])
def test_what_was_raised_to_level_3_version_2_goes_down_again(level: int, version: int) -> None:
    raised = at_level(SHIPPED["sir"].encode(), 3, 2)
    lowered = at_level(raised, level, version)
    assert level_of(lowered) == (level, version)
    assert refuse_losses(sg.load(SHIPPED["sir"]), sg.load(lowered.decode()), "itself") is None


def test_operators_that_only_level_3_version_2_has_stay_there() -> None:
    text = CONSTRUCTS["operators of version 2"]
    assert "<max" in text
    with pytest.raises(WriteError, match="L3V2"):
        at_level(text.encode(), 2, 4)


def test_nothing_is_done_where_nothing_is_to_be_done() -> None:
    text = CONSTRUCTS["level 3 version 2"].encode()
    assert at_level(text, 3, 2) is text


LITERAL, ASSIGNED = "0.12345678901234567", "0.30000000000000004"
DIGITS = model(
    # The helper prints formulas by libSBML, which would shorten the numbers.
    reaction("J", "7*k*X", "X").replace(' type="integer"> 7 ', f">{LITERAL}"),
    species=[species("X", 3.3333333333333335)],
    parameters=[parameter("k", 0.1 + 0.2), parameter("tiny", 1e-300 / 3.0)],
    events=[event("E", "X < 1", "k", "7").replace(' type="integer"> 7 ', f">{ASSIGNED}")],
)


@pytest.mark.parametrize(("level", "version"), [t for t in TARGETS if t[0] > 1 and t != (3, 1)])
def test_every_digit_survives(level: int, version: int) -> None:
    before, converted = sg.load(DIGITS), at_level(DIGITS.encode(), level, version)
    assert level_of(converted) == (level, version)
    after = sg.load(converted.decode())
    assert before.events[0].assignments == {"k": Number(0.1 + 0.2)}
    assert after.reactions[0].rate_law == before.reactions[0].rate_law
    assert after.parameters == before.parameters
    assert after.species[0].initial_amount == 3.3333333333333335
    assert after.events[0].assignments == before.events[0].assignments


def test_libsbml_itself_would_lose_digits() -> None:
    document = libsbml.readSBMLFromString(DIGITS)
    plain = libsbml.writeSBMLToString(document)
    assert sg.load(plain) != sg.load(DIGITS)
    assert sg.load(exact_bytes(document).decode()) == sg.load(DIGITS)


@pytest.mark.parametrize(
    ("name", "level", "version", "mentions"),
    [
        ("state trigger", 1, 2, "event"),
        ("event at the start", 2, 4, "Initialvalue"),
        ("priorities", 2, 4, "Priority|priority"),
        ("draws in events", 2, 4, "distrib"),
        ("groups", 2, 4, "groups"),
        ("operators of version 2", 3, 1, "new MathML elements"),
        ("conversion factor", 2, 4, "[Cc]onversion"),
    ],
)
def test_what_a_level_cannot_say_is_refused(
    name: str, level: int, version: int, mentions: str
) -> None:
    with pytest.raises(WriteError, match=mentions):
        at_level(CONSTRUCTS[name].encode(), level, version, name="this one")


def test_fast_reactions_have_no_place_in_version_2() -> None:
    text = model(reaction("J", "k*X", "X", fast=True), species=[species("X")])
    text = text.replace("<listOfReactions>", f"{_parameters()}<listOfReactions>")
    with pytest.raises(WriteError, match="fast reaction"):
        at_level(text.encode(), 3, 2)


def _parameters() -> str:
    return f"<listOfParameters>{parameter('k')}</listOfParameters>"


def test_what_has_no_place_in_level_1_is_named() -> None:
    text = "species E, A; E = 1; A = 9; k = 1; work: A -> ; k*E*A; E -o work;"
    document = sg.load(text).source
    assert document is not None
    lost = "modifierSpeciesReference 'E' of reaction 'work' would be lost, .* level 1 version 2"
    with pytest.raises(WriteError, match=lost):
        at_level(document, 1, 2)


def test_there_is_no_such_level() -> None:
    with pytest.raises(RequestError, match=r"choose from 1\.2, 2\.1"):
        at_level(CONSTRUCTS["birth and death"].encode(), 3, 3)


@pytest.mark.parametrize(
    "text", ["<sbml", "<html/>", CONSTRUCTS["level 1"].replace("<model", "<m")]
)
def test_what_is_no_sbml_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedModelError):
        at_level(text.encode(), 3, 2)


def test_moles_of_level_2_do_not_turn_molecules_into_moles() -> None:
    text = CONSTRUCTS["level 2 version 4"]
    start, stop = text.index("<listOfUnitDefinitions>"), text.index("</listOfUnitDefinitions>")
    without = text[:start] + text[stop + len("</listOfUnitDefinitions>") :]
    assert sg.load(at_level(without.encode(), 3, 2).decode()).items_per_extent == 1.0


def test_submodels_are_merged_on_request() -> None:
    composed = CONSTRUCTS["composed"].encode()
    assert has_submodels(composed)
    flat = flattened(composed, None)
    assert not has_submodels(flat)
    assert sg.load(flat.decode()) == sg.load(CONSTRUCTS["composed"])
    plain = CONSTRUCTS["birth and death"].encode()
    assert flattened(plain, None) is plain


def test_losses_are_named_by_their_elements() -> None:
    before = sg.load(CONSTRUCTS["state trigger"])
    parameters = tuple(replace(p, value=p.value + 1.0) for p in before.parameters)
    after = replace(before, parameters=parameters, events=before.events[:1], name="other")
    with pytest.raises(WriteError) as caught:
        refuse_losses(before, after, "a format")
    for words in ("parameters ('k', 'q')", "events ('event 2')", "'' would become 'other'"):
        assert words in str(caught.value)
    with pytest.raises(WriteError, match="cannot be loaded again"):
        refuse_losses(before, None, "a format")
    close = tuple(replace(p, value=p.value * (1.0 + 1e-15)) for p in before.parameters)
    refuse_losses(before, replace(before, parameters=close), "a format", digits=14)
    with pytest.raises(WriteError, match="parameters"):
        refuse_losses(before, replace(before, parameters=close), "a format")
