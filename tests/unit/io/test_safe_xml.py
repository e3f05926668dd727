"""The check that stands before libSBML: hostile or broken bytes are refused, and quickly."""

from __future__ import annotations

from typing import Any

import pytest

from sbmlgrad.io.sbml import safe_xml
from sbmlgrad.io.sbml.safe_xml import check_xml
from sbmlgrad.model.issues import EVERY_MODE, Severity

SBML = '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">'
GOOD = f'<?xml version="1.0" encoding="UTF-8"?>\n{SBML}\n<model id="é"/>\n</sbml>\n'

BILLION_LAUGHS = (
    '<?xml version="1.0"?>\n<!DOCTYPE sbml [\n<!ENTITY a0 "ha">\n'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">\n' for i in range(1, 10))
    + f"]>\n{SBML}&a9;</sbml>"
)
EXTERNAL_ENTITY = (
    f'<!DOCTYPE sbml [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n{SBML}<notes>&x;</notes></sbml>'
)
DEEP = SBML + "\n" * 9 + "<annotation>" * 100_000


def only_issue(data: bytes) -> tuple[str, int | None, str]:
    (issue,) = check_xml(data, name="given.xml")
    assert issue.severity is Severity.ERROR
    assert issue.blocks == EVERY_MODE
    assert issue.element == "given.xml"
    assert issue.advice
    return issue.code, issue.line, issue.message


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("UTF-8", "UTF-16").encode("utf-16"),
        b"\xfe\xff" + GOOD.replace("UTF-8", "UTF-16").encode("utf-16-be"),
        GOOD.replace("UTF-8", "utf-8").encode(),
        b'<s:sbml xmlns:s="http://www.sbml.org/sbml/level2"/>',
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16-le", "utf-16-be", "lower case", "prefix"],
)
def test_a_sound_document_has_no_issue(data: bytes) -> None:
    assert check_xml(data, name="given.xml") == ()


@pytest.mark.parametrize(
    ("text", "line", "mentions"),
    [
        (BILLION_LAUGHS, 2, "DOCTYPE"),
        (EXTERNAL_ENTITY, 1, "DOCTYPE"),
        ('<!DOCTYPE sbml SYSTEM "http://example.org/sbml.dtd">' + SBML + "</sbml>", 1, "DOCTYPE"),
        (DEEP, 10, "256"),
    ],
    ids=["billion laughs", "external entity", "external subset", "deep nesting"],
)
def test_hostile_documents_are_unsafe(text: str, line: int, mentions: str) -> None:
    code, found, message = only_issue(text.encode())
    assert (code, found) == ("unsafe_xml", line)
    assert mentions in message


def test_depth_up_to_the_limit_is_accepted() -> None:
    inside = safe_xml.MAX_DEPTH - 1
    text = f"{SBML}{'<a>' * inside}{'</a>' * inside}</sbml>"
    assert check_xml(text.encode(), name="given.xml") == ()
    assert only_issue(text.replace("<a></a>", "<a><a/></a>").encode())[0] == "unsafe_xml"


def test_siblings_do_not_count_as_depth() -> None:
    text = f"{SBML}{'<a></a><b/>' * 1000}</sbml>"
    assert check_xml(text.encode(), name="given.xml") == ()


@pytest.mark.parametrize(
    ("data", "line", "mentions"),
    [
        (GOOD.encode("latin-1"), 3, "not UTF-8"),
        (GOOD.replace("UTF-8", "ISO-8859-1").encode("latin-1"), 1, "ISO-8859-1"),
        (GOOD.replace("UTF-8", "UTF-7").encode(), 1, "UTF-7"),
        (GOOD.replace("UTF-8", "UTF-16").encode("utf-16") + b"\x00\xd8", None, "UTF-16"),
        (GOOD.encode("utf-16-le"), None, "not UTF-8"),
        (GOOD.encode("utf-16-be"), None, "not UTF-8"),
        (GOOD.encode()[:-8], 4, "no element found"),
        (GOOD.encode()[:-2], 4, "unclosed token"),
        (b"", 1, "no element found"),
        (b"\x89PNG\r\n", 1, "not UTF-8"),
        (b"model m; A -> B; k\n", 1, "syntax error"),
        (f"{SBML}\n<x:a/></sbml>".encode(), 2, "unbound prefix"),
        (f"{SBML}\n<a></b></sbml>".encode(), 2, "mismatched tag"),
        (f"{SBML}\n&lol;</sbml>".encode(), 2, "undefined entity"),
        (f"{SBML}\n\n<÷/></sbml>".encode(), 3, "not well-formed"),
    ],
    ids=[
        "latin-1 undeclared",
        "latin-1 declared",
        "utf-7 declared",
        "utf-16 cut",
        "utf-16-le without mark",
        "utf-16-be without mark",
        "end missing",
        "cut within a tag",
        "empty",
        "binary",
        "antimony",
        "prefix without namespace",
        "wrong end tag",
        "unknown entity",
        "forbidden name",
    ],
)
def test_broken_documents_are_refused_with_their_line(
    data: bytes, line: int | None, mentions: str
) -> None:
    code, found, message = only_issue(data)
    assert (code, found) == ("broken_xml", line)
    assert mentions in message


def test_other_xml_is_not_sbml() -> None:
    code, line, message = only_issue(b'<?xml version="1.0"?>\n<sedML xmlns="http://sed-ml.org/"/>')
    assert (code, line) == ("not_sbml", 2)
    assert "<sedML>" in message


def test_size_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = GOOD.encode()
    monkeypatch.setattr(safe_xml, "MAX_BYTES", len(data))
    assert check_xml(data, name="given.xml") == ()
    code, line, message = only_issue(data + b"\n")
    assert (code, line) == ("unsafe_xml", None)
    assert str(len(data)) in message


@pytest.mark.parametrize(
    "text",
    [
        f"{SBML}\n<!-- {'c' * 5000} --></sbml>",
        f"{SBML}\n<?tool {'c' * 5000}?></sbml>",
        f'{SBML}\n<a x="{"c" * 5000}"/></sbml>',
    ],
    ids=["comment", "instruction", "attribute"],
)
def test_one_endless_token_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_xml(text.encode(), name="given.xml") == ()
    monkeypatch.setattr(safe_xml, "MAX_TOKEN", 2000)
    monkeypatch.setattr(safe_xml, "_CHUNK", 500)
    assert only_issue(text.encode())[:2] == ("unsafe_xml", 2)
    # Text and CDATA come in pieces, and elements one after the other: no token is long.
    long = f"{SBML}{'t' * 5000}<![CDATA[{'t' * 5000}]]>{'<a/>' * 2000}</sbml>"
    assert check_xml(long.encode(), name="given.xml") == ()


class CountingParser:
    """Expat's parser, counting the bytes that it is given."""

    def __init__(self, parser: Any, fed: list[int]) -> None:
        object.__setattr__(self, "_parser", parser)
        object.__setattr__(self, "_fed", fed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._parser, name, value)

    def Parse(self, data: bytes, final: bool) -> int:  # noqa: N802 (expat's name)
        self._fed.append(len(data))
        return self._parser.Parse(data, final)


@pytest.mark.parametrize("text", [BILLION_LAUGHS, EXTERNAL_ENTITY, DEEP])
def test_work_on_hostile_documents_is_bounded(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[int] = []
    create = safe_xml.expat.ParserCreate
    monkeypatch.setattr(
        safe_xml.expat, "ParserCreate", lambda *args: CountingParser(create(*args), fed)
    )
    monkeypatch.setattr(safe_xml, "_CHUNK", 4096)
    data = text.encode() + b"<more>" * 1_000_000
    assert only_issue(data)[0] == "unsafe_xml"
    assert sum(fed) <= 2 * 4096
