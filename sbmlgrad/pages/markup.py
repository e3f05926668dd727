"""HTML that is well formed by construction: text is escaped, elements close."""

from __future__ import annotations

import html

#: Elements without contents.
_VOID = frozenset({"br", "hr", "img", "meta", "link", "col"})


class Html(str):
    """Text that is markup already and is not escaped again."""

    __slots__ = ()


#: What may stand inside an element.
Content = str | Html | None


def escaped(content: Content) -> Html:
    """Return content as markup; None is nothing."""
    if content is None:
        return Html()
    return content if isinstance(content, Html) else Html(html.escape(content, quote=False))


def element(tag: str, *contents: Content, **attributes: str | None) -> Html:
    """Return an element; a name of an attribute may end in `_`, and one that is None is left out.

    Args:
        tag: name of the element.
        contents: escaped unless they are `Html`.
        attributes: name → text; `_` within a name stands for `-`.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{given}/>")
    return Html(f"<{tag}{given}>{''.join(map(escaped, contents))}</{tag}>")


def joined(*parts: Content) -> Html:
    """Return parts one after the other, each on lines of its own."""
    return Html("\n".join(escaped(part) for part in parts if part))


def listed(*items: Content, tag: str = "ul") -> Html:
    """Return a list; nothing if it has no items."""
    found = [element("li", item) for item in items if item]
    return element(tag, *found) if found else Html()
