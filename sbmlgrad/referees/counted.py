"""Counters of firings: for every reaction of a document a species that only it makes.

Every simulator that can report a species then reports how often each reaction fired, which tells
more than the state: a reversible reaction fired on its net rate, or a cycle that turns too slowly,
leaves means as they are.
"""

from __future__ import annotations

from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

PREFIX = "firings_of_"

_ONE_MORE = (
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><apply><plus/><ci>{}</ci>'
    '<cn type="integer">1</cn></apply></math>'
)


def with_counters(document: bytes) -> tuple[bytes, dict[str, str]]:
    """Add a counter to every reaction of a normalised document.

    Args:
        document: as `normalised_sbml` writes it: one compartment, amounts.

    Returns:
        The document with counters, and id of the reaction → id of the species that counts it.
    """
    root = etree.fromstring(document)
    namespace = root.tag.rpartition("}")[0] + "}"
    model = root.find(f"{namespace}model")
    reactions = list(model.iter(f"{namespace}reaction"))
    taken = {element.get("id") for element in model.iter() if element.get("id")}
    counters: dict[str, str] = {}
    for reaction in reactions:
        name = _add_species(model, namespace, PREFIX + reaction.get("id"), taken)
        counters[reaction.get("id")] = name
        product = etree.SubElement(_products(reaction, namespace), f"{namespace}speciesReference")
        product.attrib.update({"species": name, "stoichiometry": "1", "constant": "true"})
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True), counters


def with_executions(document: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Add a counter to every event of a normalised document.

    Args:
        document: as `normalised_sbml` writes it: one compartment, amounts.

    Returns:
        The document with counters, and the ids of the species that count, one an event.
    """
    root = etree.fromstring(document)
    namespace = root.tag.rpartition("}")[0] + "}"
    model = root.find(f"{namespace}model")
    taken = {element.get("id") for element in model.iter() if element.get("id")}
    counters: list[str] = []
    for place, event in enumerate(model.iter(f"{namespace}event")):
        name = _add_species(model, namespace, f"executions_of_event_{place}", taken)
        counters.append(name)
        assignments = event.find(f"{namespace}listOfEventAssignments")
        if assignments is None:
            assignments = etree.SubElement(event, f"{namespace}listOfEventAssignments")
        made = etree.SubElement(assignments, f"{namespace}eventAssignment", variable=name)
        made.append(etree.fromstring(_ONE_MORE.format(name)))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True), tuple(counters)


def _add_species(model: Any, namespace: str, name: str, taken: set[str]) -> str:
    """Add a species that counts from zero, and return its id, which is none of those taken."""
    while name in taken:
        name += "_"
    taken.add(name)
    etree.SubElement(
        model.find(f"{namespace}listOfSpecies"),
        f"{namespace}species",
        id=name,
        compartment=next(model.iter(f"{namespace}compartment")).get("id"),
        initialAmount="0",
        substanceUnits="item",
        hasOnlySubstanceUnits="true",
        boundaryCondition="false",
        constant="false",
    )
    return name


def _products(reaction: Any, namespace: str) -> Any:
    """Return the list of products, made where the schema wants it if there is none."""
    found = reaction.find(f"{namespace}listOfProducts")
    if found is None:
        found = etree.Element(f"{namespace}listOfProducts")
        before = reaction.find(f"{namespace}listOfReactants")
        reaction.insert(0 if before is None else list(reaction).index(before) + 1, found)
    return found
