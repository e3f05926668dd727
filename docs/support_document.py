"""Tiny SBML documents as text, for the cases of the support page."""

from __future__ import annotations

import re

import libsbml

MATHML = 'xmlns="http://www.w3.org/1998/Math/MathML"'
SYMBOLS = "http://www.sbml.org/sbml/symbols"
PACKAGES = "http://www.sbml.org/sbml/level3/version1"

CELL = '<compartment id="cell" size="1" spatialDimensions="3" constant="true"/>'
K = '<parameter id="k" value="0.5" constant="true"/>'


def _attributes(given: dict[str, str]) -> str:
    return " ".join(f'{name}="{value}"' for name, value in given.items())


def species(id: str = "A", amount: float | None = 100.0, **more: str) -> str:
    """Return a species that means an amount unless told otherwise."""
    given = {
        "id": id,
        "compartment": "cell",
        "hasOnlySubstanceUnits": "true",
        "boundaryCondition": "false",
        "constant": "false",
        **({} if amount is None else {"initialAmount": f"{amount!r}"}),
        **more,
    }
    return f"<species {_attributes(given)}/>"


def parameter(id: str, value: float | None = None, constant: bool = False) -> str:
    """Return a parameter."""
    given = {"id": id, "constant": str(constant).lower()}
    return f"<parameter {_attributes(given | ({} if value is None else {'value': f'{value!r}'}))}/>"


def reference(of: str, number: float | None = 1.0, **more: str) -> str:
    """Return a reference to a species."""
    given = {"species": of, "constant": "true", **more}
    if number is not None:
        given["stoichiometry"] = f"{number!r}"
    return f"<speciesReference {_attributes(given)}/>"


def reaction(
    reactants: str = "",
    products: str = "",
    law: str | None = "k * A",
    *,
    id: str = "J",
    modifiers: str = "",
    local: str = "",
    **more: str,
) -> str:
    """Return a reaction; `law` is infix, MathML or None."""
    given = {"id": id, "reversible": "false", **more}
    parts = listed("Reactants", reactants) + listed("Products", products)
    parts += listed("Modifiers", modifiers)
    if law is not None:
        parts += f"<kineticLaw>{math(law)}{listed('LocalParameters', local)}</kineticLaw>"
    return f"<reaction {_attributes(given)}>{parts}</reaction>"


def event(trigger: str, assignments: str, more: str = "", **attributes: str) -> str:
    """Return an event; attributes `initialValue` and `persistent` go to its trigger."""
    given = {"useValuesFromTriggerTime": "true", "initialValue": "true", "persistent": "true"}
    given |= attributes
    of_event = {n: v for n, v in given.items() if n == "useValuesFromTriggerTime"}
    of_trigger = {n: v for n, v in given.items() if n not in of_event}
    return (
        f"<event {_attributes(of_event)}><trigger {_attributes(of_trigger)}>{math(trigger)}"
        f"</trigger>{more}{listed('EventAssignments', assignments)}</event>"
    )


def sets(variable: str, formula: str) -> str:
    """Return an event assignment."""
    return f'<eventAssignment variable="{variable}">{math(formula)}</eventAssignment>'


def initially(symbol: str, formula: str) -> str:
    """Return an initial assignment."""
    return f'<initialAssignment symbol="{symbol}">{math(formula)}</initialAssignment>'


def rule(kind: str, variable: str, formula: str) -> str:
    """Return an `assignment`, `rate` or `algebraic` rule."""
    target = f' variable="{variable}"' if variable else ""
    return f"<{kind}Rule{target}>{math(formula)}</{kind}Rule>"


def function(id: str, arguments: str, formula: str) -> str:
    """Return a function definition; arguments separated by blanks."""
    bound = "".join(f"<bvar><ci>{a}</ci></bvar>" for a in arguments.split())
    body = re.sub(r"</?math[^>]*>", "", math(formula))
    inner = raw(f"<lambda>{bound}{body}</lambda>")
    return f'<functionDefinition id="{id}">{inner}</functionDefinition>'


def raw(content: str) -> str:
    """Wrap MathML in a math element."""
    return f"<math {MATHML}>{content}</math>"


def csymbol(name: str, *arguments: str, package: str = "") -> str:
    """Return an applied csymbol of core or of a package; arguments are MathML."""
    url = f"{SYMBOLS}/{package}{'/' if package else ''}{name}"
    symbol = f'<csymbol encoding="text" definitionURL="{url}">{name}</csymbol>'
    return f"<apply>{symbol}{''.join(arguments)}</apply>"


def number(value: float) -> str:
    """Return a number as MathML."""
    return f"<cn>{value!r}</cn>"


def math(formula: str) -> str:
    """Return the math element of a formula in SBML level 3 infix, or of MathML."""
    if formula.startswith("<math") or not formula:
        return formula
    if formula.startswith("<"):
        return raw(formula)
    node = libsbml.parseL3Formula(formula)
    if node is None:
        raise ValueError(libsbml.getLastParseL3Error())
    text = libsbml.writeMathMLToString(node)
    return text[text.index("<math") :].replace("\n", "")


def listed(name: str, content: str) -> str:
    """Return a list element, or nothing for an empty one."""
    return f"<listOf{name}>{content}</listOf{name}>" if content else ""


def document(
    *,
    functions: str = "",
    units: str = "",
    compartments: str = CELL,
    species: str = "",
    parameters: str = K,
    initial: str = "",
    rules: str = "",
    constraints: str = "",
    reactions: str = "",
    events: str = "",
    packages: str = "",
    beside: str = "",
    inside: str = "",
    model: str = "",
    version: int = 2,
    substance: str = 'substanceUnits="item" extentUnits="item"',
) -> str:
    """Return a level 3 document.

    Args:
        functions: function definitions.
        units: unit definitions.
        compartments: compartments.
        species: species.
        parameters: parameters.
        initial: initial assignments.
        rules: rules.
        constraints: constraints.
        reactions: reactions.
        events: events.
        packages: attributes of the root element.
        beside: elements before the model.
        inside: elements at the end of the model.
        model: attributes of the model.
        version: 1 or 2.
        substance: units of substance and extent, as attributes.
    """
    lists = (
        ("FunctionDefinitions", functions),
        ("UnitDefinitions", units),
        ("Compartments", compartments),
        ("Species", species),
        ("Parameters", parameters),
        ("InitialAssignments", initial),
        ("Rules", rules),
        ("Constraints", constraints),
        ("Reactions", reactions),
        ("Events", events),
    )
    body = "".join(listed(name, content) for name, content in lists)
    if version == 1:  # where every reaction says so
        body = re.sub(r"<reaction (?![^>]*fast=)", '<reaction fast="false" ', body)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sbml xmlns="http://www.sbml.org/sbml/level3/version{version}/core" level="3" '
        f'version="{version}" {packages}>{beside}\n'
        f'<model id="case" timeUnits="second" {substance} {model}>{body}{inside}</model>\n</sbml>\n'
    )


def level_two(body: str, *, version: int = 4, declared: str = "") -> str:
    """Return a level 2 document from the content of its model."""
    namespace = "http://www.sbml.org/sbml/level2"
    if version > 1:
        namespace += f"/version{version}"
    units = (
        '<listOfUnitDefinitions><unitDefinition id="substance"><listOfUnits><unit kind="item"/>'
        "</listOfUnits></unitDefinition></listOfUnitDefinitions>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sbml xmlns="{namespace}" level="2" version="{version}">\n'
        f'<model id="case">{declared}{units}{body}</model>\n</sbml>\n'
    )


def level_one(version: int) -> str:
    """Return the decay of A in level 1."""
    kind = "specie" if version == 1 else "species"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="{version}">\n'
        '<model name="case"><listOfUnitDefinitions><unitDefinition name="substance"><listOfUnits>'
        '<unit kind="item"/></listOfUnits></unitDefinition></listOfUnitDefinitions>'
        '<listOfCompartments><compartment name="cell" volume="1"/></listOfCompartments>'
        f'<listOfSpecies><{kind} name="A" compartment="cell" initialAmount="100"/></listOfSpecies>'
        '<listOfParameters><parameter name="k" value="0.5"/></listOfParameters>'
        '<listOfReactions><reaction name="J" reversible="false"><listOfReactants>'
        f'<{kind}Reference {kind}="A"/></listOfReactants><kineticLaw formula="k*A"/></reaction>'
        "</listOfReactions></model>\n</sbml>\n"
    )


#: A decays at rate k.
DECAY = reaction(reference("A"))
