"""The mark on a reaction whose kinetic law is the propensity of one firing channel.

The normalised form carries it, so that what was split once, or found to need no split by what its
assignment rules say, is not judged again from formulas in which the rules are written out. A law
that is never negative needs none. Other software ignores the mark, as it does any annotation.
"""

from __future__ import annotations

from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

#: Namespace of the annotation, an empty element `propensity`.
PROPENSITY = "https://sbmlgrad.org/propensity/1"


def mark_as_propensity(reaction: Any) -> None:
    """Mark an lxml element `reaction`, before it gets any other child."""
    namespace = reaction.tag.rpartition("}")[0]
    annotation = etree.SubElement(reaction, f"{namespace}}}annotation")
    etree.SubElement(annotation, f"{{{PROPENSITY}}}propensity", nsmap={"sbmlgrad": PROPENSITY})


def is_marked_as_propensity(reaction: Any) -> bool:
    """Tell whether a `libsbml.Reaction` carries the mark."""
    if not reaction.isSetAnnotation():
        return False
    annotation = reaction.getAnnotation()
    children = (annotation.getChild(i) for i in range(annotation.getNumChildren()))
    return any(c.getName() == "propensity" and c.getURI() == PROPENSITY for c in children)
