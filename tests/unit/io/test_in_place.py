"""SBML level 3 version 1 becomes version 2 by a few edits."""

from __future__ import annotations

import pytest
from networks import shipped
from written_documents import changed_lines, consistency, golden, libsbml_document

import sbmlgrad as sg
from sbmlgrad.errors import WriteError
from sbmlgrad.io.sbml.in_place import raised_in_place
from sbmlgrad.io.sbml.levels import at_level

SOURCE = golden.original("dimerization_l3v1")


def raised(data: bytes) -> bytes:
    found = raised_in_place(data)
    assert found is not None
    return found


def test_only_what_the_versions_spell_differently_changes() -> None:
    data = raised(SOURCE)
    expected = SOURCE.replace(b"level3/version1/core", b"level3/version2/core")
    expected = expected.replace(b' level="3" version="1"', b' level="3" version="2"')
    assert data == expected.replace(b' fast="false"', b"")
    assert b"<!-- A reversible dimerization" in data
    document = libsbml_document(data)
    assert (document.getLevel(), document.getVersion()) == (3, 2)
    # The messages name sections of the specifications.
    assert [e[:2] for e in consistency(data)] == [e[:2] for e in consistency(SOURCE)]


@pytest.mark.parametrize("name", ["dimerization", "oscillator", "sir", "telegraph"])
def test_conversion_goes_by_these_edits(name: str) -> None:
    model = shipped(name)
    assert model.source is not None
    first = at_level(model.source, 3, 1)
    second = at_level(first, 3, 2)
    assert second == raised(first)
    assert sg.load(second.decode()) == model


def test_prefixes_and_other_encodings() -> None:
    text = SOURCE.decode().replace(' encoding="UTF-8"', "")
    text = text.replace("<sbml xmlns=", "<sbml xmlns:core=", 1).replace("</sbml>", "</core:sbml>")
    prefixed = text.replace("<sbml ", "<core:sbml ", 1)
    prefixed = prefixed.replace(
        "<model ", '<model xmlns="http://www.sbml.org/sbml/level3/version1/core" ', 1
    )
    for encoding in ("utf-8", "utf-16"):
        data = raised(prefixed.encode(encoding))
        read = data.decode(encoding)
        assert "level3/version1/core" not in read
        assert read.count("level3/version2/core") == 2


def test_text_that_names_the_version_stays() -> None:
    note = "see http://www.sbml.org/sbml/level3/version1/core"
    data = raised(SOURCE.replace(b"<p>Two A", f"<p>{note}".encode(), 1))
    assert note.encode() in data


@pytest.mark.parametrize("value", ["true", "1"])
def test_fast_reactions_take_more(value: str) -> None:
    fast = SOURCE.replace(b'fast="false"', f'fast="{value}"'.encode())
    assert raised_in_place(fast) is None
    with pytest.raises(WriteError):
        at_level(fast, 3, 2)


@pytest.mark.parametrize("level", [(2, 4), (3, 2)])
def test_other_levels_take_more(level: tuple[int, int]) -> None:
    assert raised_in_place(at_level(SOURCE, *level)) is None


def test_every_line_that_changes_is_about_the_version() -> None:
    gone, new = changed_lines(SOURCE, raised(SOURCE))
    assert len(gone) == len(new) == 3
