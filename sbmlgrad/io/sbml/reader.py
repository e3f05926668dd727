"""SBML bytes → `ReactionNetwork`: levels 2 and 3, through libSBML, every problem collected."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import libsbml

from sbmlgrad.io.sbml import support
from sbmlgrad.io.sbml.mathml import FunctionDefinition, MathError, to_expression
from sbmlgrad.io.sbml.reactions import read_reactions
from sbmlgrad.io.sbml.safe_xml import check_xml
from sbmlgrad.io.sbml.substance import SubstanceUnit, chosen, substance_unit
from sbmlgrad.model.channels import channels, combinatorial_warnings
from sbmlgrad.model.expression import Expression, symbols
from sbmlgrad.model.initial import initial_counts, initial_values
from sbmlgrad.model.issues import EVERY_MODE, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.network import (
    NO_VALUE,
    Compartment,
    Parameter,
    ReactionNetwork,
    Species,
)
from sbmlgrad.model.units import whole_number


def read_sbml(
    data: bytes,
    *,
    name: str = "SBML text",
    substance: str | None = None,
    initial: str = "strict",
    mass_action: str = "as_written",
    thorough: bool = False,
) -> tuple[ReactionNetwork | None, tuple[Issue, ...]]:
    """Read an SBML document.

    Args:
        data: the document's bytes.
        name: what to call it in messages.
        substance: None, `"item"` or `"mole"`: a unit of substance, over the document's word.
        initial: `"strict"`, `"round"` or `"randomised"`: non-integer initial counts.
        mass_action: `"as_written"` or `"combinatorial"`.
        thorough: also run libSBML's own validation and report what it finds as warnings.

    Returns:
        The network, or None if an issue prevents every mode of simulation; and all issues.
    """
    problems = check_xml(data, name=name)
    if problems:
        return None, tuple(problems)
    document = libsbml.readSBMLFromString(_text(data))
    issues = [*support.read_issues(document), *support.level_issues(document)]
    model = document.getModel()
    if model is None and not issues:
        issues.append(
            support.refused("invalid_sbml", "sbml", None, "no model element.", "Add a model.")
        )
    if issues:
        return None, tuple(issues)
    issues += support.package_issues(document)
    issues += support.construct_issues(model)
    if thorough:
        issues += support.consistency_issues(document)
    reader = _ModelReader(model, chosen(substance), issues)
    network = reader.network(data, initial, mass_action)
    if any(issue.blocks >= EVERY_MODE for issue in issues):
        return None, tuple(issues)
    _, channel_issues = channels(network)
    found = (*issues, *channel_issues, *combinatorial_warnings(network))
    return replace(network, issues=found), found


def _text(data: bytes) -> str:
    """Decode a document and let it say UTF-8, which is how libSBML is handed text."""
    is_utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    end = text.find("?>") if text.startswith("<?xml") else 0
    encoding = r"""encoding\s*=\s*["'][^"']*["']"""
    return re.sub(encoding, 'encoding="UTF-8"', text[:end]) + text[end:]


class _ModelReader:
    """Reads one `libsbml.Model`, adding to a shared list of issues."""

    def __init__(self, model: Any, substance: SubstanceUnit | None, issues: list[Issue]) -> None:
        self.model = model
        self.substance = substance
        self.issues = issues
        self.functions = dict(self._functions())

    def network(self, data: bytes, initial: str, mass_action: str) -> ReactionNetwork:
        model = self.model
        compartments = tuple(self._compartments())
        dimensions = {
            c.getId(): c.getSpatialDimensionsAsDouble() for c in _each(model, "Compartment")
        }
        species = tuple(self._species(dimensions))
        parameters = [
            Parameter(
                p.getId(),
                p.getValue() if p.isSetValue() else NO_VALUE,
                p.getUnits(),
                p.getName(),
            )
            for p in _each(model, "Parameter")
        ]
        known = {x.id for x in (*compartments, *species, *parameters)}
        self._refuse_duplicates([x.id for x in (*compartments, *species, *parameters)])
        reactions, local_parameters = read_reactions(
            model, known, {s.id for s in species}, self.functions, self.issues
        )
        parameters += local_parameters
        assignments = self._initial_assignments(known)
        network = ReactionNetwork(
            id=model.getId() or model.getName() or "model",
            name=model.getName(),
            compartments=compartments,
            species=species,
            parameters=tuple(parameters),
            reactions=reactions,
            initial_assignments=MappingProxyType(assignments),
            time_unit=_time_unit(model),
            items_per_extent=self._items_per_extent(species),
            mass_action=mass_action,
            initial=initial,
            source=data,
        )
        if not any(issue.blocks >= EVERY_MODE for issue in self.issues):
            self._judge_missing_units(network)
        return network

    def _functions(self) -> Iterator[tuple[str, FunctionDefinition | str]]:
        known: dict[str, FunctionDefinition | str] = {}
        waiting = list(_each(self.model, "FunctionDefinition"))
        # A function may call only functions defined earlier in level 2, any but itself in level 3.
        while waiting:
            ready = [f for f in waiting if not (_calls(f) & {w.getId() for w in waiting})]
            if not ready:
                for function in waiting:
                    self.issues.append(
                        support.refused(
                            "recursive_function",
                            function.getId(),
                            function.getLine(),
                            "the function calls itself, directly or through others.",
                            "Write the formula out.",
                        )
                    )
                return
            for function in ready:
                known[function.getId()] = self._function(function, known)
                yield function.getId(), known[function.getId()]
            waiting = [f for f in waiting if f not in ready]

    def _function(
        self, function: Any, known: Mapping[str, FunctionDefinition | str]
    ) -> FunctionDefinition | str:
        arguments = tuple(
            function.getArgument(i).getName() for i in range(function.getNumArguments())
        )
        try:
            body = to_expression(function.getBody(), known, {})
        except MathError as error:
            # Judged where the function is called: an unused one does no harm.
            return f"the function '{function.getId()}' cannot be used: {error.message}"
        return FunctionDefinition(arguments, body)

    def _compartments(self) -> Iterator[Compartment]:
        for c in _each(self.model, "Compartment"):
            yield Compartment(c.getId(), c.getSize() if c.isSetSize() else NO_VALUE, c.getName())

    def _species(self, dimensions: Mapping[str, float]) -> Iterator[Species]:
        for s in _each(self.model, "Species"):
            if s.getCompartment() not in dimensions:
                self.issues.append(
                    support.refused(
                        "undefined_symbol",
                        s.getId(),
                        s.getLine(),
                        f"its compartment '{s.getCompartment()}' does not exist.",
                        "Define the compartment.",
                    )
                )
                continue
            if s.isSetConversionFactor() or self.model.isSetConversionFactor():
                self.issues.append(
                    support.refused(
                        "conversion_factor",
                        s.getId(),
                        s.getLine(),
                        "conversion factors are not accepted yet.",
                        "Use the same unit for substance and extent.",
                    )
                )
            unit = self._substance(s)
            if unit.items is not None and unit.items != unit.items:
                self.issues.append(
                    support.refused(
                        "units_ambiguous",
                        s.getId(),
                        s.getLine(),
                        f"its substance unit '{unit.name}' is no number of molecules.",
                        'Give a unit of item or mole, or load with substance="item" or "mole".',
                    )
                )
            yield Species(
                id=s.getId(),
                name=s.getName(),
                compartment=s.getCompartment(),
                initial_amount=s.getInitialAmount() if s.isSetInitialAmount() else None,
                initial_concentration=(
                    s.getInitialConcentration() if s.isSetInitialConcentration() else None
                ),
                only_substance_units=s.getHasOnlySubstanceUnits()
                or dimensions[s.getCompartment()] == 0.0,
                boundary=s.getBoundaryCondition(),
                constant=s.getConstant(),
                items_per_substance=1.0 if unit.items is None else unit.items,
                unit=unit.name,
            )

    def _substance(self, species: Any) -> SubstanceUnit:
        if self.substance is not None:
            return self.substance
        reference = species.getSubstanceUnits()
        if not reference:
            is_level_2 = self.model.getLevel() < 3
            reference = "substance" if is_level_2 else self.model.getSubstanceUnits()
        return substance_unit(self.model, reference)

    def _items_per_extent(self, species: tuple[Species, ...]) -> float:
        if self.substance is not None:
            return self.substance.items or 1.0
        is_level_2 = self.model.getLevel() < 3
        unit = substance_unit(
            self.model, "substance" if is_level_2 else self.model.getExtentUnits()
        )
        if unit.items is not None and unit.items == unit.items:
            return unit.items
        # Without an extent unit, extent is counted in the species' own unit if they share one.
        common = {s.items_per_substance for s in species}
        return common.pop() if len(common) == 1 else 1.0

    def _judge_missing_units(self, network: ReactionNetwork) -> None:
        if self.substance is not None or all(s.unit for s in network.species if s.changes):
            return
        counts = initial_counts(network, initial_values(network), {})
        fractional = [
            s
            for s, n in zip(network.species_ids, counts, strict=True)
            if n == n and whole_number(float(n)) is None
        ]
        where = network.id
        if fractional:
            self.issues.append(
                Issue(
                    "units_ambiguous",
                    Severity.ERROR,
                    where,
                    self.model.getLine(),
                    "no substance unit is given and the initial amount of "
                    f"{', '.join(map(repr, fractional))} is not a whole number of molecules.",
                    'Load with substance="mole", or with substance="item" and initial="round".',
                    STOCHASTIC_ONLY,
                )
            )
        else:
            self.issues.append(
                Issue(
                    "units_ambiguous",
                    Severity.WARNING,
                    where,
                    self.model.getLine(),
                    "no substance unit is given; amounts are taken as molecules.",
                    'Give substanceUnits="item", or load with substance="item" or "mole".',
                )
            )

    def _initial_assignments(self, known: set[str]) -> dict[str, Expression]:
        result: dict[str, Expression] = {}
        lines: dict[str, int] = {}
        for assignment in _each(self.model, "InitialAssignment"):
            target = assignment.getSymbol()
            if target not in known:
                self.issues.append(
                    support.refused(
                        "variable_stoichiometry",
                        target,
                        assignment.getLine(),
                        "an initial assignment to something that is neither species, parameter nor "
                        "compartment (a stoichiometry) is not accepted yet.",
                        "Write the number into the species reference.",
                    )
                )
                continue
            try:
                expression = to_expression(assignment.getMath(), self.functions, {})
            except MathError as error:
                self.issues.append(
                    support.refused(
                        error.code, target, assignment.getLine(), error.message, error.advice
                    )
                )
                continue
            self.issues += undefined(expression, known, target, assignment.getLine())
            result[target] = expression
            lines[target] = assignment.getLine()
        for target in _on_cycles(result):
            self.issues.append(
                support.refused(
                    "cyclic_assignment",
                    target,
                    lines[target],
                    "its initial assignment depends on itself.",
                    "Break the cycle.",
                )
            )
        return result

    def _refuse_duplicates(self, ids: list[str]) -> None:
        for name, count in Counter(ids).items():
            if count > 1:
                self.issues.append(
                    support.refused(
                        "invalid_sbml",
                        name,
                        None,
                        f"{count} elements have this id.",
                        "Give every element an id of its own.",
                    )
                )


def undefined(expression: Expression, known: set[str], element: str, line: int) -> Iterator[Issue]:
    """Refuse symbols of a formula that the model does not define."""
    for symbol in sorted(symbols(expression) - known):
        yield support.refused(
            "undefined_symbol",
            element,
            line,
            f"the formula uses '{symbol}', which is neither species, parameter nor compartment.",
            "Define it or correct the name.",
        )


def _each(model: Any, kind: str) -> Iterator[Any]:
    get = getattr(model, f"get{kind}")
    plural = kind if kind == "Species" else f"{kind}s"
    for i in range(getattr(model, f"getNum{plural}")()):
        yield get(i)


def _calls(function: Any) -> set[str]:
    found: set[str] = set()
    stack = [function.getBody()]
    while stack:
        node = stack.pop()
        if node is None:
            continue
        if node.getType() == libsbml.AST_FUNCTION:
            found.add(node.getName())
        stack.extend(node.getChild(i) for i in range(node.getNumChildren()))
    return found


def _on_cycles(assignments: Mapping[str, Expression]) -> list[str]:
    """Return the targets whose initial assignment cannot be ordered, in document order."""
    waiting = {t: symbols(e) & assignments.keys() for t, e in assignments.items()}
    while True:
        ready = [t for t, needed in waiting.items() if not (needed & waiting.keys())]
        if not ready:
            return list(waiting)
        for target in ready:
            del waiting[target]


def _time_unit(model: Any) -> str:
    return model.getTimeUnits() if model.getLevel() >= 3 else "time"
