"""What the node types of libSBML's syntax trees are called: operators and random draws."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import libsbml

#: Where the csymbols of the distrib package live.
DISTRIB_URL = "http://www.sbml.org/sbml/symbols/distrib/"

#: Node type → name of an operator; `root` and `log` are resolved by the importer.
OPERATOR_NAMES: Mapping[int, str] = MappingProxyType(
    {
        libsbml.AST_PLUS: "plus",
        libsbml.AST_MINUS: "minus",
        libsbml.AST_TIMES: "times",
        libsbml.AST_DIVIDE: "divide",
        libsbml.AST_POWER: "power",
        libsbml.AST_FUNCTION_POWER: "power",
        libsbml.AST_FUNCTION_ROOT: "root",
        libsbml.AST_FUNCTION_LOG: "log",
        libsbml.AST_FUNCTION_RATE_OF: "rateOf",
        **{
            getattr(libsbml, f"AST_FUNCTION_{name.upper()}"): name
            for name in (
                *("abs", "ceiling", "exp", "factorial", "floor", "ln", "max", "min"),
                *("piecewise", "quotient", "rem"),
                *("sin", "cos", "tan", "sec", "csc", "cot"),
                *("sinh", "cosh", "tanh", "sech", "csch", "coth"),
                *("arcsin", "arccos", "arctan", "arcsec", "arccsc", "arccot"),
                *("arcsinh", "arccosh", "arctanh", "arcsech", "arccsch", "arccoth"),
            )
        },
        **{
            getattr(libsbml, f"AST_LOGICAL_{name.upper()}"): name
            for name in ("and", "or", "xor", "not", "implies")
        },
        **{
            getattr(libsbml, f"AST_RELATIONAL_{name.upper()}"): name
            for name in ("eq", "neq", "lt", "leq", "gt", "geq")
        },
    }
)

_DRAWS: Mapping[int, str] = MappingProxyType(
    {
        getattr(libsbml, f"AST_DISTRIB_FUNCTION_{name.upper()}"): name
        for name in (
            *("normal", "uniform", "bernoulli", "binomial", "cauchy", "chisquare"),
            *("exponential", "gamma", "laplace", "lognormal", "poisson", "rayleigh"),
        )
    }
)


def draw_name(node: Any, kind: int) -> str | None:
    """Return the name of the distribution that a node draws from, or None if it is no draw."""
    if kind == libsbml.AST_CSYMBOL_FUNCTION:
        # libSBML knows the csymbols in one spelling only; logNormal is in use too.
        url = node.getDefinitionURLString()
        return url.removeprefix(DISTRIB_URL).lower() if url.startswith(DISTRIB_URL) else None
    return _DRAWS.get(kind)
