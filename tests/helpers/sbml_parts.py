"""Hierarchical SBML documents (package comp) as text, for tests of the reader."""

from __future__ import annotations

import re

from sbml_text import parameter

COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"


def constant(name: str, value: float) -> str:
    """Return a parameter that is constant, as conversion factors have to be."""
    return parameter(name, value, constant="true")


def submodel(
    name: str, of: str, *, time: str = "", extent: str = "", deletions: tuple[str, ...] = ()
) -> str:
    """Return a submodel; deletions are metaids."""
    factors = f' comp:timeConversionFactor="{time}"' if time else ""
    factors += f' comp:extentConversionFactor="{extent}"' if extent else ""
    inside = "".join(f'<comp:deletion comp:metaIdRef="{d}"/>' for d in deletions)
    inside = f"<comp:listOfDeletions>{inside}</comp:listOfDeletions>" if inside else ""
    return f'<comp:submodel comp:id="{name}" comp:modelRef="{of}"{factors}>{inside}</comp:submodel>'


def replacing(element: str, *replaced: tuple[str, str] | tuple[str, str, str]) -> str:
    """Return an element that replaces others: (submodel, id) or (submodel, id, factor)."""
    inside = ""
    for where, name, *factor in replaced:
        about = f' comp:conversionFactor="{factor[0]}"' if factor else ""
        inside += f'<comp:replacedElement comp:submodelRef="{where}" comp:idRef="{name}"{about}/>'
    tag = re.match(r"<(\w+)", element)
    assert tag is not None
    return (
        f"{element[:-2]}><comp:listOfReplacedElements>{inside}</comp:listOfReplacedElements>"
        f"</{tag[1]}>"
    )


def composed(text: str, *submodels: str, **definitions: str) -> str:
    """Return a document with submodels in its model and model definitions, each a document."""
    written = "".join(
        f'<comp:modelDefinition id="{name}"{_attributes(inner)}>{_inside(inner)}'
        "</comp:modelDefinition>"
        for name, inner in definitions.items()
    )
    text = text.replace(' level="3"', f' xmlns:comp="{COMP}" comp:required="true" level="3"', 1)
    after = f"<comp:listOfModelDefinitions>{written}</comp:listOfModelDefinitions>"
    return text.replace("</model>", f"{_listed(submodels)}</model>{after if written else ''}")


def part(text: str, *submodels: str) -> str:
    """Return a document, to be made a model definition, with submodels of its own."""
    return text.replace("</model>", f"{_listed(submodels)}</model>")


def _listed(submodels: tuple[str, ...]) -> str:
    return f"<comp:listOfSubmodels>{''.join(submodels)}</comp:listOfSubmodels>"


def _start(text: str) -> tuple[int, int]:
    begin = text.index("<model ")
    return begin, text.index(">", begin)


def _attributes(text: str) -> str:
    begin, end = _start(text)
    return re.sub(r' id="\w*"', "", text[begin + len("<model") : end])


def _inside(text: str) -> str:
    return text[_start(text)[1] + 1 : text.index("</model>")]
