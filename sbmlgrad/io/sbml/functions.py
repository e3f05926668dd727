"""Function definitions of an SBML document, in whatever order they stand."""

from __future__ import annotations

from typing import Any

import libsbml

from sbmlgrad.io.sbml.mathml import (
    FunctionDefinition,
    Functions,
    MathError,
    define,
    to_expression,
)
from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.graphs import in_order, on_cycles
from sbmlgrad.model.issues import Issue

_RECURSIVE = MathError(
    "recursive_function",
    "the function calls itself, directly or through others.",
    "Write the formula out.",
)


def read_functions(model: Any, issues: list[Issue]) -> Functions:
    """Return the functions that laws may call; one that is broken does no harm until it is called.

    Args:
        model: `libsbml.Model`.
        issues: list that recursive functions are added to.
    """
    elements = {}
    for i in range(model.getNumFunctionDefinitions()):
        elements.setdefault(model.getFunctionDefinition(i).getId(), model.getFunctionDefinition(i))
    # Level 2 wants a function defined before it is called, level 3 does not.
    calls = {name: _calls(element) for name, element in elements.items()}
    recursive = on_cycles(calls)
    known: dict[str, FunctionDefinition | MathError] = {}
    for name, element in elements.items():
        if name in recursive:
            known[name] = _RECURSIVE
            code, message, advice = _RECURSIVE.code, _RECURSIVE.message, _RECURSIVE.advice
            issues.append(refused(code, name, element.getLine(), message, advice))
    for name in in_order({n: c - recursive for n, c in calls.items() if n not in recursive}):
        known[name] = _definition(elements[name], known)
    return known


def function_calls(model: Any) -> dict[str, set[str]]:
    """Return function → functions that it calls, for a `libsbml.Model`."""
    elements = map(model.getFunctionDefinition, range(model.getNumFunctionDefinitions()))
    return {element.getId(): _calls(element) for element in elements}


def _definition(element: Any, known: Functions) -> FunctionDefinition | MathError:
    arguments = tuple(element.getArgument(i).getName() for i in range(element.getNumArguments()))
    try:
        return define(arguments, to_expression(element.getBody(), known, {}))
    except MathError as error:
        return error.in_function(element.getId())


def _calls(element: Any) -> set[str]:
    found: set[str] = set()
    stack = [element.getBody()]
    while stack:
        node = stack.pop()
        if node is None:
            continue
        if node.getType() == libsbml.AST_FUNCTION:
            found.add(node.getName())
        stack.extend(node.getChild(i) for i in range(node.getNumChildren()))
    return found
