"""SBML documents as text, one element a line, for tests of the reader.

Documents are written in level 3 version 1 and turned into other levels by `at_level`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import libsbml

MATHML = 'xmlns="http://www.w3.org/1998/Math/MathML"'
ITEMS = 'substanceUnits="item" extentUnits="item" timeUnits="second"'
_NAMESPACES = {
    (1, 2): "http://www.sbml.org/sbml/level1",
    (2, 1): "http://www.sbml.org/sbml/level2",
    **{(2, v): f"http://www.sbml.org/sbml/level2/version{v}" for v in range(2, 6)},
    **{(3, v): f"http://www.sbml.org/sbml/level3/version{v}/core" for v in (1, 2)},
}


def raw(content: str) -> str:
    """Wrap MathML in a math element."""
    return f"<math {MATHML}>{content}</math>"


def math(formula: str) -> str:
    """Return the math element of a formula in SBML level 3 infix."""
    node = libsbml.parseL3Formula(formula)
    assert node is not None, libsbml.getLastParseL3Error()
    text = libsbml.writeMathMLToString(node)
    return text[text.index("<math") :].replace("\n", "")


def _math(formula: str) -> str:
    return formula if formula.startswith("<math") else math(formula)


def function(name: str, arguments: str, formula: str) -> str:
    """Return a function definition; arguments separated by blanks."""
    bound = "".join(f"<bvar><ci>{a}</ci></bvar>" for a in arguments.split())
    body = re.sub(r"</?math[^>]*>", "", _math(formula))
    inner = raw(f"<lambda>{bound}{body}</lambda>")
    return f'<functionDefinition id="{name}">{inner}</functionDefinition>'


def compartment(name: str = "cell", size: float | None = 1.0, **attributes: object) -> str:
    """Return a compartment."""
    given = {"id": name, "spatialDimensions": 3, "size": size, "constant": "true", **attributes}
    return f"<compartment {_written(given)}/>"


def species(name: str, amount: float | None = 10.0, **attributes: object) -> str:
    """Return a species that means an amount, unless attributes say otherwise."""
    given = {
        "id": name,
        "compartment": "cell",
        "initialAmount": amount,
        "hasOnlySubstanceUnits": "true",
        "boundaryCondition": "false",
        "constant": "false",
        **attributes,
    }
    return f"<species {_written(given)}/>"


def parameter(name: str, value: float | None = 1.0, **attributes: object) -> str:
    """Return a global parameter."""
    return (
        f"<parameter {_written({'id': name, 'value': value, 'constant': 'false', **attributes})}/>"
    )


def assignment(symbol: str, formula: str) -> str:
    """Return an initial assignment; an empty formula leaves the math element out."""
    inside = _math(formula) if formula else ""
    return f'<initialAssignment symbol="{symbol}">{inside}</initialAssignment>'


def rule(kind: str, variable: str | None, formula: str) -> str:
    """Return a rule: `assignment`, `rate` or `algebraic`; an empty formula has no math element."""
    about = f' variable="{variable}"' if variable else ""
    return f"<{kind}Rule{about}>{_math(formula) if formula else ''}</{kind}Rule>"


def event(
    name: str | None,
    trigger: str | None,
    variable: str = "",
    formula: str | None = None,
    *,
    more: Iterable[tuple[str, str | None]] = (),
    delay: str | None = None,
    priority: str | None = None,
    initial_value: bool = True,
    persistent: bool = True,
    use_trigger_values: bool = True,
) -> str:
    """Return an event; a formula of None leaves the math element out, as level 3 version 2 may."""
    assignments = [*([(variable, formula)] if variable else []), *more]
    about = f' id="{name}"' if name else ""
    lines = [
        f'<event{about} useValuesFromTriggerTime="{_flag(use_trigger_values)}">',
        f'<trigger initialValue="{_flag(initial_value)}" persistent="{_flag(persistent)}">'
        f"{_math(trigger) if trigger else ''}</trigger>",
    ]
    if priority is not None:
        lines.append(f"<priority>{_math(priority) if priority else ''}</priority>")
    if delay is not None:
        lines.append(f"<delay>{_math(delay) if delay else ''}</delay>")
    inside = [
        f'<eventAssignment variable="{v}">{_math(f) if f else ""}</eventAssignment>'
        for v, f in assignments
    ]
    if inside:
        lines += ["<listOfEventAssignments>", *inside, "</listOfEventAssignments>"]
    return "\n".join([*lines, "</event>"])


def reaction(
    name: str,
    law: str | None,
    reactants: str = "",
    products: str = "",
    *,
    modifiers: str = "",
    local: Mapping[str, float | None] | Iterable[tuple[str, float | None]] = (),
    reversible: bool = False,
    fast: bool = False,
) -> str:
    """Return a reaction; sides as `"2 A B"`, a number before the species it belongs to.

    `"2 A:n"` gives the species reference the id `n`, `"? A:n"` leaves its stoichiometry out.
    """
    lines = [f'<reaction id="{name}" reversible="{_flag(reversible)}" fast="{_flag(fast)}">']
    for kind, side in (("Reactants", reactants), ("Products", products)):
        if side:
            lines += [f"<listOf{kind}>", *_references(side), f"</listOf{kind}>"]
    if modifiers:
        inside = (f'<modifierSpeciesReference species="{m}"/>' for m in modifiers.split())
        lines += ["<listOfModifiers>", *inside, "</listOfModifiers>"]
    if law is not None:
        lines += ["<kineticLaw>", _math(law)]
        pairs = list(local.items() if isinstance(local, Mapping) else local)
        if pairs:
            inside = (f"<localParameter {_written({'id': i, 'value': v})}/>" for i, v in pairs)
            lines += ["<listOfLocalParameters>", *inside, "</listOfLocalParameters>"]
        lines += ["</kineticLaw>"]
    return "\n".join([*lines, "</reaction>"])


def _references(side: str) -> list[str]:
    found, number = [], "1"
    for word in side.split():
        if word[0].isdigit() or word[0] in "-?":
            number = word
            continue
        species, _, name = word.partition(":")
        given = {
            "id": name or None,
            "species": species,
            "stoichiometry": None if number == "?" else number,
            "constant": _flag(not name),
        }
        found.append(f"<speciesReference {_written(given)}/>")
        number = "1"
    return found


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _written(attributes: Mapping[str, object]) -> str:
    return " ".join(f'{k}="{v}"' for k, v in attributes.items() if v is not None)


def model(
    *reactions: str,
    species: Iterable[str] = (),
    parameters: Iterable[str] = (),
    compartments: Iterable[str] = (compartment(),),
    functions: Iterable[str] = (),
    units: Iterable[str] = (),
    assignments: Iterable[str] = (),
    rules: Iterable[str] = (),
    constraints: Iterable[str] = (),
    events: Iterable[str] = (),
    attributes: str = ITEMS,
    namespaces: str = "",
) -> str:
    """Return a document of level 3 version 1."""
    lists = {
        "FunctionDefinitions": functions,
        "UnitDefinitions": units,
        "Compartments": compartments,
        "Species": species,
        "Parameters": parameters,
        "InitialAssignments": assignments,
        "Rules": rules,
        "Constraints": constraints,
        "Reactions": reactions,
        "Events": events,
    }
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<sbml xmlns="{_NAMESPACES[3, 1]}" level="3" version="1"{namespaces}>',
        f'<model id="m" {attributes}>',
    ]
    for name, elements in lists.items():
        if inside := list(elements):
            lines += [f"<listOf{name}>", *inside, f"</listOf{name}>"]
    return "\n".join([*lines, "</model>", "</sbml>", ""])


def at_level(text: str, level: int, version: int) -> str:
    """Return a document of level 3 version 1 in level 2 or another version of level 3."""
    text = text.replace(
        f'xmlns="{_NAMESPACES[3, 1]}" level="3" version="1"',
        f'xmlns="{_NAMESPACES[level, version]}" level="{level}" version="{version}"',
    )
    if (level, version) == (3, 2):
        return text.replace(' fast="false"', "")
    if level == 2:
        text = re.sub(r'(<speciesReference [^>]*) constant="(true|false)"', r"\1", text)
        text = re.sub(r"<trigger [^>]*>", "<trigger>", text)
        if version < 4:
            text = text.replace(' useValuesFromTriggerTime="true"', "")
        text = re.sub(r'<model id="m" [^>]*>', '<model id="m">', text)
        text = text.replace("LocalParameter", "Parameter").replace("localParameter", "parameter")
    return text


def line_of(text: str, piece: str) -> int:
    """Return the line of the only place where a piece of text stands."""
    (line,) = (i for i, line in enumerate(text.splitlines(), 1) if piece in line)
    return line
