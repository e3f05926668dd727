"""The section of the support page on MathML operators and distributions, from their tables."""

from __future__ import annotations

import math
from itertools import permutations, product

import libsbml
import numpy as np
from support_document import K, csymbol, document, initially, number, parameter, rule, species

import sbmlgrad as sg
from sbmlgrad.model.distributions import DISTRIBUTIONS, Distribution
from sbmlgrad.model.operators import OPERATORS, Operator

#: Arguments to try, so that every operator is defined for some.
_TRIED = (3.0, 1.7, 0.3)

#: MathML of those that MathML writes by another operator.
_SPELLED = {
    "log10": "<log/><logbase><cn>10</cn></logbase>",
    "sqrt": "<root/><degree><cn>2</cn></degree>",
}

INTRODUCTION = """\
## By MathML operator

Any operator may stand in kinetic laws, rules, initial assignments, triggers, delays, priorities
and event assignments. Each was evaluated in a model by both modes, which gave the value of
libSBML's own evaluator. *Derivative*: *yes*, or *zero* where the value moves in steps only.
Numbers, constants and other forms of MathML are among the constructs above.

| operator | arguments | example | derivative |
|---|---|---|---|"""


class OperatorFault(Exception):
    """An operator does not have the value that libSBML gives it."""


def operator_section() -> str:
    """Return the tables of operators and distributions."""
    lines = [INTRODUCTION, *(_operator(row) for row in OPERATORS.values() if row.is_evaluable)]
    lines += [
        "",
        "### Distributions",
        "",
        "Draws of the package distrib, in event assignments and initial assignments, each from\n"
        "the trajectory's own random stream.",
        "",
        "| draw | parameters | arguments | truncated | values |",
        "|---|---|---|---|---|",
        *map(_distribution, DISTRIBUTIONS.values()),
    ]
    return "\n".join(lines)


def _operator(row: Operator) -> str:
    least, most = row.arity
    arguments = _arguments(row)
    names = [f"{a:g}" for a in arguments]
    if _takes_truth(row):
        names = ["true" if a else "false" for a in arguments]
    formula = f"{row.name}({', '.join(names)})" if names else row.name
    if row.name == "piecewise":
        formula = "piecewise(0.3, true, 1.7)"
    expected = _by_libsbml(formula)
    value = _by_simulation(row, arguments)
    if not math.isclose(value, expected, rel_tol=1e-12):
        raise OperatorFault(f"{formula} is {value!r} in a model and {expected!r} by libSBML")
    span = f"{least}" if most == least else f"{least} to {most}" if most else f"{least} or more"
    derivative = "zero" if row.partials is None else "yes"
    return f"| `{row.name}` | {span} | `{formula}` = {value:.6g} | {derivative} |"


def _takes_truth(row: Operator) -> bool:
    return row.name in ("and", "or", "xor", "not", "implies")


def _arguments(row: Operator) -> tuple[float, ...]:
    """Return arguments for which an operator is defined, different ones where there are several."""
    if row.name == "piecewise":
        return (0.3, 1.0, 1.7)
    least, most = row.arity
    count = least if most == least else max(least, 2)
    if _takes_truth(row):
        return (1.0, 0.0)[:count]
    with np.errstate(all="ignore"):
        return next(
            arguments
            for arguments in permutations(_TRIED, count)
            if math.isfinite(float(row.function(*arguments)))
        )


def _by_simulation(row: Operator, arguments: tuple[float, ...]) -> float:
    """Return an operator's value in a model, the same from an exact and an ODE simulation."""
    names = [f"a{i}" for i in range(len(arguments))]
    inner = "".join(f"<ci>{n}</ci>" for n in names)
    if row.name == "piecewise":
        a, test, b = (f"<ci>{n}</ci>" for n in names)
        condition = f"<apply><gt/>{test}<cn>0</cn></apply>"
        content = f"<piecewise><piece>{a}{condition}</piece><otherwise>{b}</otherwise></piecewise>"
    elif _takes_truth(row):
        inner = "".join(f"<apply><gt/><ci>{n}</ci><cn>0</cn></apply>" for n in names)
        content = f"<apply><{row.name}/>{inner}</apply>"
    elif row.name in _SPELLED:
        content = f"<apply>{_SPELLED[row.name]}{inner}</apply>"
    else:
        content = f"<apply><{row.name}/>{inner}</apply>" if names else f"<{row.name}/>"
    if row.is_logical:
        content = (
            f"<piecewise><piece><cn>1</cn>{content}</piece><otherwise><cn>0</cn></otherwise>"
            "</piecewise>"
        )
    text = document(
        species=species(),
        parameters=K + parameter("x") + "".join(map(parameter, names, arguments)),
        rules=rule("assignment", "x", content),
    )
    model = sg.load(text)
    engines = (sg.engines.Native(1, kernel="table"), sg.engines.ODE())
    values = {float(sg.simulate(model, times=[1.0], engine=e).mean("x")[0]) for e in engines}
    if len(values) != 1:
        raise OperatorFault(f"{row.name}{arguments}: {values}")
    return values.pop()


def _by_libsbml(formula: str) -> float:
    # Its parser has no relations and logical operators by name, and its own ideas of some others.
    node = libsbml.parseL3Formula(formula)
    if node is None:
        raise OperatorFault(f"{formula}: {libsbml.getLastParseL3Error()}")
    return float(libsbml.SBMLTransforms.evaluateASTNode(node))


def _distribution(row: Distribution) -> str:
    counts = [_drawn(row, count) for count in sorted(row.counts)]
    truncated = "yes" if len(row.parameters) + 2 in counts else "no"
    kind = "whole numbers" if row.is_discrete else "real"
    forms = " or ".join(map(str, counts))
    return f"| `{row.name}` | {', '.join(row.parameters)} | {forms} | {truncated} | {kind} |"


def _drawn(row: Distribution, count: int) -> int:
    """Draw with so many arguments in a model, and return the number of arguments."""
    tried = product((1.0, 4.0, 0.5, 2.0), repeat=count)
    arguments = next(a for a in tried if row.complaint(a) is None and _varies(row, a))
    _, low, high = row.split(arguments)
    text = document(
        version=1,
        packages='xmlns:distrib="http://www.sbml.org/sbml/level3/version1/distrib/version1" '
        'distrib:required="true"',
        species=species(),
        parameters=K + parameter("x", 0.0),
        initial=initially("x", csymbol(row.name, *map(number, arguments), package="distrib")),
    )
    engine = sg.engines.Native(1, kernel="table")
    cells = sg.simulate(sg.load(text), times=[0.0], trajectories=100, seed=1, engine=engine)
    values = cells.values("x")[:, 0]
    if not (np.isfinite(values).all() and values.min() >= low and values.max() <= high):
        raise OperatorFault(f"{row.name}{arguments} drew {values.min()} to {values.max()}")
    if row.is_discrete != bool((values == np.rint(values)).all()) or values.std() == 0.0:
        raise OperatorFault(f"{row.name}{arguments} drew {values[:5]}")
    return count


def _varies(row: Distribution, arguments: tuple[float, ...]) -> bool:
    """Tell whether more than one value can be drawn."""
    parameters, low, high = row.split(arguments)
    least, most = row.support(*parameters)
    first, last = max(low, least), min(high, most)
    return math.ceil(first) + 1 <= last if row.is_discrete else first < last
