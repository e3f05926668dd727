"""Pictures as part of a page: inline SVG that follows the colours and the width of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from sbmlgrad.pages.figure import new_figure
from sbmlgrad.pages.markup import Html, element
from sbmlgrad.pages.style import COLOURS, INK

#: Size of one panel in inches: as wide as a telephone, so that its letters stay readable there.
WIDTH, HEIGHT = 4.0, 2.9

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sbmlgrad",
    "font.size": 9.5,
    "axes.titlesize": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}

#: Points in one picture from which they are drawn as an image, which then is smaller.
_MANY_POINTS = 1000


def panel(
    draw: Callable[[Any], object], number: int, words: str, *, height: float = HEIGHT
) -> Html:
    """Return one panel as a figure of the page.

    Args:
        draw: draws into the axes that it is given.
        number: of the picture, different for every one of a page.
        words: what it shows, for those who cannot see it.
        height: in inches.
    """
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        figure, axes = new_figure(1, 1, WIDTH, height)
        draw(axes[0, 0])
        for line in axes[0, 0].lines:
            if line.get_marker() not in ("None", None) and len(line.get_xdata()) > _MANY_POINTS:
                line.set_rasterized(True)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None}, dpi=200)
    return element("figure", inline(buffer.getvalue(), number, words))


def inline(svg: str, number: int, words: str) -> Html:
    """Return an SVG document of matplotlib as an element of a page.

    Args:
        svg: the document.
        number: of the picture; its ids begin with it, as those of a page must differ.
        words: what it shows.
    """
    text = svg[svg.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    # Namespaces are known in HTML, and none of the words looks like an address then.
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'\sid="([^"]*)"', rf' id="p{number}-\1"', text)
    text = re.sub(r'href="#', f'href="#p{number}-', text).replace("url(#", f"url(#p{number}-")
    for colour, name in COLOURS.items():
        text = text.replace(colour, name)
    label = element("title", words)
    opening, rest = text.split(">", 1)
    opening = re.sub(r'\s(width|height|version)="[^"]*"', "", opening)
    return Html(f'{opening} role="img">{label}{rest.strip()}')
