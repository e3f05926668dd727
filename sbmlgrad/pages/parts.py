"""What pages are made of: numbered pictures side by side, keys, and the page around all."""

from __future__ import annotations

from itertools import count

from sbmlgrad.pages.markup import Content, Html, element, joined
from sbmlgrad.pages.style import STYLE

#: Panels of a section that are shown at once; the others open on demand.
SHOWN = 12


class Numbers:
    """Numbers of the pictures of one page."""

    def __init__(self) -> None:
        self._next = count(1)

    def __call__(self) -> int:
        """Return the next number."""
        return next(self._next)


def grid(pictures: list[Html], what: str, *, shown: int = SHOWN) -> Html:
    """Return panels side by side, the later ones of many folded away."""
    if not pictures:
        return Html()
    first = element("div", *pictures[:shown], class_="panels")
    if len(pictures) <= shown:
        return first
    more = pictures[shown:]
    hidden = element("div", *more, class_="panels")
    return joined(first, element("details", element("summary", f"{len(more)} more {what}"), hidden))


_SIGNS = {
    "line": '<path d="M0 5H24" stroke="var(--{0})" stroke-width="2.5"/>',
    "dashes": '<path d="M0 5H24" stroke="var(--{0})" stroke-width="1.8" stroke-dasharray="5 3"/>',
    "dots": '<path d="M0 5H24" stroke="var(--{0})" stroke-width="1.8" stroke-dasharray="2 3"/>',
    "area": '<path d="M0 0H24V10H0Z" fill="var(--{0})" opacity="0.25"/>',
    "dot": '<circle cx="12" cy="5" r="4" fill="var(--{0})"/>',
}


def key(rows: list[tuple[str, str, str]]) -> Html:
    """Return a list of signs with their meaning.

    Args:
        rows: (kind of sign, name of its colour, meaning).
    """
    items = [
        element(
            "li",
            Html(
                f'<svg viewBox="0 0 24 10" aria-hidden="true">{_SIGNS[sign].format(colour)}</svg>'
            ),
            meaning,
        )
        for sign, colour, meaning in rows
    ]
    return element("ul", *items, class_="key")


def document(title: str, *contents: Content) -> str:
    """Return a page that needs no other file and makes no request.

    Args:
        title: of the page, also its heading.
        contents: what stands below it.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html(STYLE)),
    )
    body = element("body", element("main", element("h1", title), *contents))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"
