"""What `check` reports: one `Issue` per finding, with a stable reason code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

#: Modes of simulation that an issue can prevent.
SSA = "ssa"
ODE = "ode"
STOCHASTIC_ONLY = frozenset({SSA})
EVERY_MODE = frozenset({SSA, ODE})
NOTHING = frozenset[str]()


class Severity(Enum):
    """How much an issue matters; `str(severity)` is the lower-case word."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding about a model.

    Attributes:
        code: stable reason code, for instance `reversible_not_separable`.
        severity: ERROR if the issue prevents exact stochastic simulation.
        element: SBML id of the element concerned, or a path such as `J0/kineticLaw`.
        line: line in the source document, or None where it has none.
        message: what was found and why it matters, one sentence.
        advice: what to do.
        blocks: modes of simulation that it prevents: `{"ssa"}`, `{"ssa", "ode"}` or none.
    """

    code: str
    severity: Severity
    element: str
    line: int | None
    message: str
    advice: str
    blocks: frozenset[str] = NOTHING

    def __str__(self) -> str:
        where = self.element if self.line is None else f"{self.element} (line {self.line})"
        return f"{self.severity} [{self.code}] {where}: {self.message} {self.advice}"


def blocking(issues: tuple[Issue, ...], mode: str) -> tuple[Issue, ...]:
    """Return the issues that prevent the given mode (`"ssa"` or `"ode"`)."""
    return tuple(issue for issue in issues if mode in issue.blocks)
