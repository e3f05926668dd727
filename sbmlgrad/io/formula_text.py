"""Formulas that users write as text: in mapping files, PEtab tables and on the command line."""

from __future__ import annotations

import re
from collections.abc import Collection

from sbmlgrad.errors import DataError
from sbmlgrad.model.expression import Expression, Number

_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


def formula_of(text: str | float, symbols: Collection[str] = ()) -> Expression:
    """Return a formula, written in the infix notation of SBML level 3, as an expression.

    `log` is the natural logarithm, as in PEtab; `log10`, `exp`, `piecewise` and all functions that
    SBML knows have their names there. `time` is the clock.

    Args:
        text: the formula; a number stands for itself.
        symbols: ids that win over a constant of the notation, such as a species called `avogadro`.

    Raises:
        DataError: no formula, or a function that no kinetic law may use either.
    """
    if not isinstance(text, str):
        return Number(float(text))
    import libsbml

    from sbmlgrad.io.sbml.mathml import MathError, to_expression

    settings = libsbml.L3ParserSettings()
    settings.setParseLog(libsbml.L3P_PARSE_LOG_AS_LN)
    # Else '2 A' would be the number 2 with the unit A.
    settings.setParseUnits(libsbml.L3P_NO_UNITS)
    settings.setComparisonCaseSensitivity(libsbml.L3P_COMPARE_BUILTINS_CASE_SENSITIVE)
    # The parser resolves a name to an element of this model before it tries constants.
    document = libsbml.SBMLDocument(3, 2)
    model = document.createModel()
    for symbol in symbols:
        parameter = model.createParameter()
        parameter.setId(symbol)
    settings.setModel(model)
    node = libsbml.parseL3FormulaWithSettings(text, settings)
    if node is None:
        lines = (libsbml.getLastParseL3Error() or "").split("\n")
        if _DECIMAL_COMMA.fullmatch(text.strip()):
            point = text.strip().replace(",", ".")
            raise DataError(f"the formula {text!r} is a number with a comma; write {point}")
        raise DataError(
            f"the formula {text!r} cannot be read ({lines[0].strip()}); write it as in SBML level "
            "3, for instance 'scale * (A + 2*AB) + offset'"
        )
    try:
        return to_expression(node, {}, {})
    except MathError as error:
        raise DataError(f"the formula {text!r}: {error}") from None
