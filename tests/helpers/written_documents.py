"""Documents to be written with new values, and what libSBML reads of the result."""

from __future__ import annotations

import difflib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import libsbml

from sbmlgrad.model.elements import Parameter
from sbmlgrad.model.network import ReactionNetwork

L3 = "http://www.sbml.org/sbml/level3/version1/core"


def _golden() -> ModuleType:
    path = Path(__file__).parents[1] / "golden" / "regenerate.py"
    spec = importlib.util.spec_from_file_location("golden_cases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their own names
    spec.loader.exec_module(module)
    return module


golden = _golden()


def libsbml_document(data: bytes) -> Any:
    """Return libSBML's document; its parts live only as long as the caller keeps it."""
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    return libsbml.readSBMLFromString(re.sub(r"^<\?xml[^>]*\?>", "", text))


def consistency(data: bytes) -> list[tuple[int, str, str]]:
    """Return what libSBML finds: code, severity, and the message without its line."""
    document = libsbml_document(data)
    document.checkConsistency()
    errors = [document.getError(i) for i in range(document.getNumErrors())]
    return sorted((e.getErrorId(), e.getSeverityAsString(), e.getMessage()) for e in errors)


def changed_lines(before: bytes, after: bytes) -> tuple[list[str], list[str]]:
    """Return the lines that are gone and those that are new."""
    lines = list(difflib.ndiff(before.decode().splitlines(), after.decode().splitlines()))
    return [x[2:] for x in lines if x[0] == "-"], [x[2:] for x in lines if x[0] == "+"]


def values_in(data: bytes) -> dict[str, float]:
    document = libsbml_document(data)
    model = document.getModel()
    found = {p.getId(): p.getValue() for p in model.getListOfParameters()}
    for reaction in model.getListOfReactions():
        law = reaction.getKineticLaw()
        if law is None:
            continue
        for parameter in (law.getParameter(i) for i in range(law.getNumParameters())):
            found[f"{reaction.getId()}.{parameter.getId()}"] = parameter.getValue()
    return found


def network_of(source: bytes | str, values: dict[str, float], **more: Any) -> ReactionNetwork:
    data = source.encode() if isinstance(source, str) else source
    parameters = tuple(Parameter(id, value) for id, value in values.items())
    return ReactionNetwork(
        id="m", parameters=parameters, explicit=frozenset(values), source=data, **more
    )


def model_text(inside: str, *, attributes: str = "", level: str = 'level="3" version="1"') -> str:
    return f'<sbml xmlns="{L3}" {level}><model id="m"{attributes}>{inside}</model></sbml>'


PARAMETER = '<listOfParameters><parameter id="k" value="1" constant="true"/></listOfParameters>'


INITIAL = (
    '<initialAssignment symbol="{}"><math xmlns="http://www.w3.org/1998/Math/MathML">'
    "<cn>4</cn></math></initialAssignment>"
)


SPECIES = '<listOfSpecies><species id="A" compartment="c"{}/></listOfSpecies>'
