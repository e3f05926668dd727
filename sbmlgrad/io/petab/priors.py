"""Priors of parameters, in the words of PEtab 1, of PEtab 2, and of `model.priors`.

PEtab 1 has priors of the value and priors of the parameter on its scale; PEtab 2 has priors of the
value alone, among them those that a logarithm makes of the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from sbmlgrad.errors import WriteError
from sbmlgrad.io.petab.rows import SEPARATOR, Row
from sbmlgrad.model.priors import PRIORS, Prior

#: PEtab 1 → distribution, and whether it is one on the parameter's scale.
VERSION_1: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        "uniform": ("uniform", False),
        "normal": ("normal", False),
        "laplace": ("laplace", False),
        "logNormal": ("log-normal", False),
        "logLaplace": ("log-laplace", False),
        "parameterScaleUniform": ("uniform", True),
        "parameterScaleNormal": ("normal", True),
        "parameterScaleLaplace": ("laplace", True),
    }
)

#: PEtab 2 allows all of `PRIORS`, none of them on a scale.
VERSION_2: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {name: (name, False) for name in PRIORS}
)

#: Columns of PEtab 1: what enters the objective, and what starting points are drawn from.
OBJECTIVE, START = "objectivePrior", "initializationPrior"

#: Relative difference up to which two ways to write one prior agree.
_TOLERANCE = 1e-9


def prior_in(
    row: Row, words: Mapping[str, tuple[str, bool]], type_column: str, parameters_column: str
) -> Prior | None:
    """Return the prior that two cells describe, None where they say nothing beyond the bounds.

    Args:
        row: of the parameter table.
        words: `VERSION_1` or `VERSION_2`.
        type_column: of the distribution.
        parameters_column: of its arguments.
    """
    name, texts = row.text(type_column), row.parts(parameters_column)
    if not name:
        if texts:
            row.fault(type_column, f"it is empty, but {parameters_column} gives numbers")
        return None
    if name not in words:
        row.fault(type_column, f"{name!r} is unknown; it must be one of {', '.join(words)}")
        return None
    distribution, on_scale = words[name]
    if not texts and distribution == "uniform":
        # Both versions: uniform without arguments is uniform within the bounds.
        return None
    arguments = tuple(row.number_of(parameters_column, text) for text in texts)
    where = row.where(parameters_column)
    return row.faults.attempt(where, Prior, distribution, arguments, on_scale)


def of_value(prior: Prior, scale: str) -> Prior:
    """Return the same distribution as one of the parameter's value, as PEtab 2 writes it.

    If the logarithm is normal (m, s), the value is log-normal; decadic ones are log10(x) =
    ln(x) / ln(10). The density of the value differs from that on the scale by the factor 1/x.

    Raises:
        WriteError: PEtab has no word for it.
    """
    if prior.on_scale and (prior.distribution, True) not in VERSION_1.values():
        raise WriteError(
            f"PEtab has no word for a prior {prior.distribution!r} on the parameter's scale; state "
            "it for the value"
        )
    if not prior.on_scale or scale == "lin":
        return Prior(prior.distribution, prior.arguments)
    factor = math.log(10.0) if scale == "log10" else 1.0
    if prior.distribution == "uniform":
        base = 10.0 if scale == "log10" else math.e
        return Prior("log-uniform", tuple(base**a for a in prior.arguments))
    return Prior(f"log-{prior.distribution}", tuple(a * factor for a in prior.arguments))


def is_same(first: Prior, second: Prior) -> bool:
    """Tell whether two priors of a value are the same up to rounding."""
    return first.distribution == second.distribution and all(
        math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        for a, b in zip(first.arguments, second.arguments, strict=True)
    )


def version_1_cells(prior: Prior | None, kind: str) -> dict[str, str]:
    """Return a prior in the columns of PEtab 1, empty where it has no word for it there.

    Args:
        prior: the prior, or None.
        kind: `OBJECTIVE` or `START`.
    """
    words = {meaning: word for word, meaning in VERSION_1.items()}
    if prior is None or (prior.distribution, prior.on_scale) not in words:
        return {}
    word = words[prior.distribution, prior.on_scale]
    return {f"{kind}Type": word, f"{kind}Parameters": arguments_text(prior)}


def arguments_text(prior: Prior) -> str:
    """Return the arguments of a prior as one cell; numbers keep every bit."""
    return SEPARATOR.join(repr(float(a)) for a in prior.arguments)
