"""Tables of a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sbmlgrad.pages.markup import Content, Html, element

#: Rows of a table that are shown at once; the others open on demand.
SHOWN = 40

#: Classes of cells: numbers, ids, running text.
NUMBER, ID, TEXT, PLAIN = "n", "id", "text", None


def table(
    columns: Sequence[tuple[str, str | None]], rows: Iterable[Sequence[Content]], caption: str = ""
) -> Html:
    """Return a table that scrolls by itself where it is wider than the page.

    Args:
        columns: (heading, class of cells); one without any content is left out.
        rows: cells.
        caption: what it shows; empty for none.
    """
    found = list(rows)
    used = [i for i in range(len(columns)) if any(row[i] for row in found)]
    heads = [columns[i] for i in used]
    body = [
        element("tr", *(element("td", row[i], class_=columns[i][1]) for i in used)) for row in found
    ]
    shown = _table(heads, body[:SHOWN], caption)
    if len(body) <= SHOWN:
        return shown
    rest = element("summary", f"{len(body) - SHOWN} more rows")
    return Html(shown + element("details", rest, _table(heads, body[SHOWN:], "")))


def _table(heads: list[tuple[str, str | None]], body: list[Html], caption: str) -> Html:
    cells = (
        element("th", name, class_=NUMBER if kind == NUMBER else None, scope="col")
        for name, kind in heads
    )
    return _scrolling(
        element("caption", caption) if caption else None,
        element("thead", element("tr", *cells)),
        element("tbody", *body),
    )


def _scrolling(*parts: Content) -> Html:
    # With a tab stop, so that it can be scrolled by keyboard as well.
    return element("div", element("table", *parts), class_="wide", tabindex="0")


def pairs(rows: Iterable[tuple[str, Content]]) -> Html:
    """Return names with what they mean, leaving out those without."""
    return _scrolling(
        element(
            "tbody",
            *(
                element("tr", element("th", name, scope="row"), element("td", value, class_=TEXT))
                for name, value in rows
                if value
            ),
        )
    )
