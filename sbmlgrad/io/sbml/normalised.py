"""A lowered network → the plain SBML that other simulators are fed.

Simulators disagree about reversible laws, volumes, local parameters and what a species symbol
means. Here nothing of that is left: SBML level 3 version 1, every species an amount in items in a
compartment of size 1, one irreversible reaction for every firing channel, its propensity in counts
as the kinetic law, every other symbol a constant global parameter.

libSBML prints doubles with 15 digits and joins the mantissa and exponent of `1e-05` with an error
of rounding. The document is therefore written directly, and every number in it reads back as the
same double.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import reduce
from typing import Any

import numpy as np
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]
from numpy.typing import ArrayLike

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import ParameterError, RequestError, UnsupportedModelError, WriteError
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol, symbols
from sbmlgrad.model.initial import initial_counts as counts_at_start
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.readiness import start_issues
from sbmlgrad.model.units import whole_number

_SBML = "http://www.sbml.org/sbml/level3/version1/core"
_MATHML = "http://www.w3.org/1998/Math/MathML"

#: Operators that MathML calls otherwise; a root has degree 2 unless it says so.
_MATHML_NAMES = {"sqrt": "root"}

#: Operators that SBML level 3 version 1 lacks → the relation under which the first argument wins.
_EXTREMA = {"min": "leq", "max": "geq"}


def normalised_sbml(
    lowered: LoweredNetwork,
    parameters: ArrayLike | None = None,
    initial_counts: ArrayLike | None = None,
) -> bytes:
    """Write a network as plain SBML, to feed other simulators; `normalised_ids` says what is whose.

    A channel whose firing changes nothing is left out: it has no effect on any count, and SBML
    does not allow a reaction without reactants and products. So are parameters without a value.

    Args:
        lowered: the network.
        parameters: values, float64 [parameter] in the order of `network.parameter_ids`; None for
            the model's own.
        initial_counts: molecules at time 0, whole numbers [species]; None for the model's own.

    Returns:
        The document, UTF-8. It has no events, rules, functions or initial assignments.

    Raises:
        UnsupportedModelError: a value that is needed is missing, or initial counts cannot be used.
        ParameterError: `parameters` has the wrong length.
        RequestError: `initial_counts` are not whole numbers, or the model draws them at random.
        WriteError: numbers that SBML software does not read back; names all of them.
    """
    network = lowered.network
    values = initial_values(network, _explicit(network, parameters))
    counts = _start(lowered, values, initial_counts)
    inputs = {i: values[i] for i in lowered.input_ids if math.isfinite(values[i])}
    _refuse_unreadable(lowered, inputs)
    ids = normalised_ids(lowered)
    taken = set(ids.values())
    container = _unused("container", taken)
    # A model without an id is called by its name, which may hold anything.
    is_id = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", network.id)
    name = _unused(network.id if is_id else "model", taken)
    root = etree.Element(f"{{{_SBML}}}sbml", nsmap={None: _SBML}, level="3", version="1")
    # Times are in the model's own unit, which need not be one that SBML has a word for.
    units = {"substance": "item", "extent": "item", "time": "dimensionless"}
    model = _add(root, "model", id=name, **{f"{k}Units": unit for k, unit in units.items()})
    _write_species(model, container, dict(zip(lowered.species_ids, counts, strict=True)))
    _write_parameters(model, {ids[i]: value for i, value in inputs.items()})
    _write_reactions(model, lowered, ids)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def normalised_ids(lowered: LoweredNetwork) -> dict[str, str]:
    """Return symbol or channel → its id in the normalised document.

    Only local parameters change: `reaction.parameter` becomes `reaction__parameter`, with further
    underscores where that is taken.
    """
    symbols_used = (*lowered.species_ids, *lowered.input_ids, *(c.id for c in lowered.channels))
    taken = {symbol for symbol in symbols_used if "." not in symbol}
    return {s: _unused(s.replace(".", "__"), taken) if "." in s else s for s in symbols_used}


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _explicit(network: ReactionNetwork, parameters: ArrayLike | None) -> dict[str, float]:
    if parameters is None:
        return {}
    array = np.asarray(parameters, dtype=np.float64)
    if array.shape != (len(network.parameter_ids),):
        raise ParameterError(
            f"parameters: model '{network.id}' has {len(network.parameter_ids)} parameters "
            f"({', '.join(network.parameter_ids) or 'none'}), got an array of shape {array.shape}"
        )
    return dict(zip(network.parameter_ids, array.tolist(), strict=True))


def _start(
    lowered: LoweredNetwork, values: Mapping[str, float], given: ArrayLike | None
) -> list[float]:
    """Return the molecules of every species at time 0, or raise for what prevents a start."""
    network = lowered.network
    counts = counts_at_start(network, values, {}) if given is None else np.asarray(given, float)
    if counts.shape != (len(lowered.species_ids),):
        raise RequestError(
            f"initial_counts: model '{network.id}' has {len(lowered.species_ids)} species that can "
            f"change, got an array of shape {counts.shape}"
        )
    problems = start_issues(network, lowered.formulas, values, counts)
    if problems:
        raise UnsupportedModelError(
            problems, what=f"model '{network.id}' cannot be written for a stochastic simulation:"
        )
    whole = [whole_number(float(c)) for c in counts]
    if None in whole and (given is not None or network.initial == "randomised"):
        named = ", ".join(
            f"{s}={c:g}"
            for s, c, w in zip(lowered.species_ids, counts, whole, strict=True)
            if w is None
        )
        raise RequestError(
            f"model '{network.id}': initial counts that are not whole ({named}) have no place in "
            'a document with one start; round them, or load the model with initial="round"'
        )
    return [float(np.rint(c)) if w is None else w for c, w in zip(counts, whole, strict=True)]


def _refuse_unreadable(lowered: LoweredNetwork, inputs: Mapping[str, float]) -> None:
    places = [(f"'{i}'", value) for i, value in inputs.items()]
    for channel in lowered.channels:
        literals = _literals(channel.propensity)
        places += [(f"the law of '{channel.reaction}'", value) for value in literals]
    named = [f"{where} holds {v}" for where, v in places if 0.0 < abs(v) < sys.float_info.min]
    if named:
        listed = ", ".join(dict.fromkeys(named))
        raise WriteError(
            f"model '{lowered.network.id}': libSBML does not read numbers below "
            f"{sys.float_info.min} back, and {listed}; choose other units"
        )


def _literals(expression: Expression) -> Iterable[float]:
    if isinstance(expression, Number):
        yield expression.value
    elif isinstance(expression, Apply):
        for argument in expression.arguments:
            yield from _literals(argument)


# --- elements -------------------------------------------------------------------------------------


def _add(parent: Any, tag: str, **attributes: str) -> Any:
    return etree.SubElement(parent, f"{{{_SBML}}}{tag}", attributes)


def _write_species(model: Any, container: str, counts: Mapping[str, float]) -> None:
    fixed = {"spatialDimensions": "3", "size": "1", "units": "dimensionless", "constant": "true"}
    _add(_add(model, "listOfCompartments"), "compartment", id=container, **fixed)
    if not counts:  # level 3 version 1 has no empty lists
        return
    listed = _add(model, "listOfSpecies")
    for name, count in counts.items():
        _add(
            listed,
            "species",
            id=name,
            compartment=container,
            initialAmount=repr(count),
            substanceUnits="item",
            hasOnlySubstanceUnits="true",
            boundaryCondition="false",
            constant="false",
        )


def _write_parameters(model: Any, values: Mapping[str, float]) -> None:
    if not values:
        return
    listed = _add(model, "listOfParameters")
    for name, value in values.items():
        _add(listed, "parameter", id=name, value=repr(float(value)), constant="true")


def _write_reactions(model: Any, lowered: LoweredNetwork, ids: Mapping[str, str]) -> None:
    changing = [channel for channel in lowered.channels if channel.change]
    if not changing:
        return
    species = set(lowered.species_ids)
    listed = _add(model, "listOfReactions")
    for channel in changing:
        reaction = _add(listed, "reaction", id=channel.id, reversible="false", fast="false")
        lost = {s: -n for s, n in channel.change.items() if n < 0}
        gained = {s: n for s, n in channel.change.items() if n > 0}
        used = symbols(channel.propensity) & species
        _write_references(reaction, "listOfReactants", lost)
        _write_references(reaction, "listOfProducts", gained)
        _write_modifiers(reaction, sorted(used - set(channel.change)))
        math_element = etree.SubElement(
            _add(reaction, "kineticLaw"), f"{{{_MATHML}}}math", nsmap={None: _MATHML}
        )
        _write_math(math_element, channel.propensity, ids)


def _write_references(reaction: Any, container: str, numbers: Mapping[str, int]) -> None:
    if not numbers:
        return
    listed = _add(reaction, container)
    for name, number in numbers.items():
        _add(listed, "speciesReference", species=name, stoichiometry=str(number), constant="true")


def _write_modifiers(reaction: Any, names: list[str]) -> None:
    if not names:
        return
    listed = _add(reaction, "listOfModifiers")
    for name in names:
        _add(listed, "modifierSpeciesReference", species=name)


# --- mathematics ----------------------------------------------------------------------------------


def _write_math(parent: Any, expression: Expression, ids: Mapping[str, str]) -> None:
    if isinstance(expression, Symbol):
        _math(parent, "ci").text = ids[expression.id]
    elif isinstance(expression, Number):
        _write_number(parent, expression.value)
    elif expression.operator in _EXTREMA:
        _write_math(parent, _extremum_as_pieces(expression), ids)
    elif expression.operator == "piecewise":
        _write_pieces(_math(parent, "piecewise"), expression.arguments, ids)
    elif not expression.arguments:
        _math(parent, expression.operator)  # true, false
    else:
        apply = _math(parent, "apply")
        _math(apply, _MATHML_NAMES.get(expression.operator, expression.operator))
        for argument in expression.arguments:
            _write_math(apply, argument, ids)


def _math(parent: Any, tag: str) -> Any:
    return etree.SubElement(parent, f"{{{_MATHML}}}{tag}")


def _write_number(parent: Any, value: float) -> None:
    if math.isnan(value):
        _math(parent, "notanumber")
    elif value == math.inf:
        _math(parent, "infinity")
    elif value == -math.inf:
        apply = _math(parent, "apply")
        _math(apply, "minus")
        _math(apply, "infinity")
    else:
        # MathML's real numbers have no exponent; without one, every digit counts as it stands.
        _math(parent, "cn").text = format(Decimal(repr(float(value))), "f")


def _write_pieces(parent: Any, arguments: tuple[Expression, ...], ids: Mapping[str, str]) -> None:
    for i in range(0, len(arguments) - 1, 2):
        piece = _math(parent, "piece")
        _write_math(piece, arguments[i], ids)
        _write_math(piece, arguments[i + 1], ids)
    if len(arguments) % 2:
        _write_math(_math(parent, "otherwise"), arguments[-1], ids)


def _extremum_as_pieces(extremum: Apply) -> Expression:
    relation = _EXTREMA[extremum.operator]

    def first_or_second(first: Expression, second: Expression) -> Expression:
        return Apply("piecewise", (first, Apply(relation, (first, second)), second))

    return reduce(first_or_second, extremum.arguments)
