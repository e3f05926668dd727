"""The page of reason codes: texts stand here, severities and modes are read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "sbmlgrad"

#: Modes by the name of the constant in `sbmlgrad.model.issues`.
MODES = {"EVERY_MODE": "exact, ODE", "STOCHASTIC_ONLY": "exact", "ODE": "ODE", "NOTHING": ""}
#: Makers of errors that block every mode, the code first.
MAKERS = frozenset({"refused", "MathError", "_Refused"})
#: Missing values: `check` adds the mode where the rate equations need the value as well.
SOMETIMES_ODE = ("volume_undefined", "initial_value_missing", "parameter_value_missing")

#: Section → code → (what it means, what to do).
TEXTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "The file": {
        "unreadable_file": (
            "the file is missing, has a suffix that is not known, or ended the process that read "
            "it",
            "check path and suffix; try another validator",
        ),
        "unsafe_xml": (
            "the document has a DOCTYPE, is nested too deeply or is too large: reading it could "
            "open other files or exhaust memory",
            "remove the DOCTYPE or the embedded data",
        ),
        "broken_xml": (
            "the XML is not well-formed, or not UTF-8 or UTF-16",
            "correct it at the place named, or fetch the file again",
        ),
        "not_sbml": ("well-formed XML, but the root element is not `sbml`", "give an SBML file"),
        "broken_antimony": ("the Antimony text cannot be translated", "correct the text"),
        "invalid_sbml": (
            "the document breaks a rule of SBML without which it has no meaning, for instance two "
            "elements share an id or two rules set one symbol",
            "correct the document",
        ),
        "unsupported_level": (
            "an SBML level other than 1, 2 and 3",
            "convert the file to level 3",
        ),
        "sbml_rule_broken": (
            "libSBML's validation finds a fault that does not prevent simulation",
            "correct it: other tools may refuse the file",
        ),
        "partly_validated": (
            "the model is so large that the rules of SBML that cost most were not checked",
            "validate it with libSBML if another tool refuses it",
        ),
        "check_failed": (
            "`sbmlgrad check` met a fault of sbmlgrad itself and went on with the next file",
            "report it with the file",
        ),
    },
    "Constructs": {
        "unsupported_package": (
            "the model uses an SBML package that changes its meaning, such as fbc, qual, multi or "
            "spatial; layout, render and groups are ignored",
            "remove the package, or write what it says in SBML core",
        ),
        "comp_flattened": (
            "the model is composed of submodels; it was flattened, and ids in submodels are "
            "`submodel__id`",
            "nothing; use these ids",
        ),
        "comp_flattening": (
            "a submodel cannot be put in its place, for instance because its definition is missing",
            "correct the reference, or flatten the model with another tool",
        ),
        "algebraic_rule": (
            "an algebraic rule is a constraint to be solved, not a process",
            "solve it and use the solution",
        ),
        "delay": ("the delay csymbol needs the past of the trajectory", "use intermediate species"),
        "rate_rule": (
            "a rate rule sets a concentration in a volume that follows from numbers of molecules, "
            "which jump",
            "let it set an amount, or simulate by ODE",
        ),
        "rate_of": (
            "a formula uses a rate of change (rateOf), which a number of molecules that jumps does "
            "not have",
            "write the rate out as a formula, or simulate by ODE",
        ),
        "fast_reaction": (
            "a fast reaction is an equilibrium, not a process with a rate",
            "give it a large finite rate, or eliminate it",
        ),
        "distribution": (
            "a value is drawn at random, which the rate equations cannot mean",
            "simulate exactly, or put a number in its place",
        ),
        "distribution_in_law": (
            "a random distribution in a kinetic law has no meaning as a rate",
            "give a value, or draw it in an initial assignment or event",
        ),
        "distribution_in_rule": (
            "a rule, trigger, delay or priority that holds at all times draws a random value",
            "draw it once, in an initial assignment or event assignment",
        ),
        "distribution_in_function": (
            "a random draw is handed to a function (or to a comparison of several values) that "
            "uses it more than once: that is one draw, not several",
            "draw the value into a parameter first, and use the parameter",
        ),
        "constraint_ignored": (
            "the model has constraints; they are not watched",
            "check the results against them",
        ),
        "uncertainty_ignored": (
            "the model says how uncertain values are; the values themselves are used",
            "draw a value in an initial assignment if it is meant to vary",
        ),
    },
    "Reactions and mathematics": {
        "missing_kinetic_law": ("the reaction has no rate", "give it a kinetic law"),
        "missing_math": (
            "a math element, or an apply element in it, is empty",
            "give a formula",
        ),
        "unsupported_math": (
            "a function or operator that is not known, or with a wrong number of arguments",
            "rewrite the formula with the operators of the [support page](sbml-support.md)",
        ),
        "undefined_symbol": (
            "a formula or reference uses an id that the model does not define",
            "define it or correct the name",
        ),
        "recursive_function": ("a function definition calls itself", "write the formula out"),
        "cyclic_assignment": (
            "initial assignments, assignment rules or rates depend on each other in a cycle",
            "break the cycle",
        ),
        "formula_too_large": (
            "with all rules and functions written out a formula is larger than can be worked with",
            "nest the rules less",
        ),
        "non_integer_stoichiometry": (
            "one firing would change a species by a fraction of a molecule",
            "use whole coefficients",
        ),
        "variable_stoichiometry": (
            "a stoichiometry is missing or changes during the simulation",
            "write the number into the species reference, or one reaction for each",
        ),
        "reversible_not_separable": (
            "the law can become negative and is not the difference of a forward and a backward "
            "propensity",
            "write it as forward minus backward, or as two irreversible reactions",
        ),
        "reversible_split": (
            "a law that is a difference is fired forwards and backwards, although the reaction is "
            "marked irreversible",
            "nothing, if that is meant",
        ),
        "sign_unknown": (
            "it cannot be shown that the law never becomes negative",
            "nothing, if you know it; a negative propensity stops the simulation",
        ),
        "combinatorial_form": (
            "a law such as `k*A*A` with two reacting A is taken as written, although `k*A*(A-1)/2` "
            "may be meant",
            'load with `mass_action="combinatorial"`, or write the falling factorial',
        ),
    },
    "Values and units": {
        "units_ambiguous": (
            "no substance unit is given, or one that is no number of molecules. A warning if all "
            "initial amounts are whole numbers, which are then taken as molecules",
            'give `substanceUnits`, or load with `substance="item"` or `"mole"`',
        ),
        "units_differ": (
            "a species has another unit of substance than reactions have, or a submodel another "
            "unit of time or extent, and no conversion factor is given, or a law of level 1 or of "
            "level 2 version 1 has units of its own: numbers are taken as they are",
            "give a conversion factor, or the same unit",
        ),
        "volume_undefined": (
            "a concentration is needed and the compartment has no size, or a size of zero for good",
            "give the size, or pass `initial={...}`",
        ),
        "initial_value_missing": (
            "a species has no initial amount or concentration",
            "give one, or pass `initial={...}`",
        ),
        "parameter_value_missing": (
            "a formula needs a parameter that has no value",
            "give one, or pass `parameters={...}`",
        ),
        "non_integer_initial_count": (
            "an initial count is not a whole number of molecules",
            'correct it, or load with `initial="round"` or `"randomised"`',
        ),
        "negative_initial_count": ("an initial count is negative", "correct it"),
        "not_finite_at_start": (
            "a propensity, the rate of a rate rule or a trigger is infinite or no number at time "
            "0, for instance divided by zero",
            "look for a division by zero, an overflow or an infinite parameter",
        ),
        "negative_propensity": (
            "a propensity is negative at time 0, for instance in a compartment of negative size",
            "correct the law or the values it uses",
        ),
        "negative_delay": (
            "the delay of an event is negative: an error if the event is triggered at time 0, a "
            "warning if it may be later",
            "give a delay that is not negative",
        ),
        "non_integer_assignment": (
            "an event gives a species a fraction of a molecule: an error if that happens at time "
            "0, a warning if it may later",
            'let it set a whole number, or load with `initial="round"` or `"randomised"`',
        ),
        "negative_assignment": (
            "an event gives a species a negative number of molecules; likewise",
            "let it set a number that is not negative",
        ),
        "count_too_large": (
            "a count is above 2^53 molecules, the largest that double precision counts exactly",
            'load with `substance="item"` if amounts are molecules; else scale the volume down',
        ),
    },
}

INTRODUCTION = """\
# Reason codes

*Generated by `docs/make_support_page.py` from `docs/reason_codes.py` and the code; do not edit.*

`sbmlgrad check` reports every finding as an issue with a stable code. An **error** prevents exact
stochastic simulation; a **warning** does not, but the result may not be what the author meant; an
**info** is worth knowing. *Blocks* says which modes of simulation it prevents: `load` accepts
whatever ODE mode can run, and `simulate` refuses with the same code what only the stochastic
meaning forbids. Every issue names the element and, where the document has one, the line.
"""

CLOSING = """\
(1) ODE too, where the rate equations need the value.

## During a simulation

What fails at time 0 is known to `check`; `load` accepts it and `simulate` stops there. What cannot
be known before ends a trajectory with an outcome, and `simulate` raises a `SimulationError` with
reaction, time and state: `NEGATIVE_PROPENSITY` (a propensity is negative; it is never clamped),
`NEGATIVE_COUNT`, `NON_INTEGER_COUNT`, `NON_FINITE`, `FIRING_LIMIT` and others of
`sbmlgrad.engines.Outcome`.
"""


def codes_in_source() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return code → the severities, and the names of sets of modes, that the source gives it."""
    found: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        for code, severities, modes in _issues(ast.parse(path.read_text(encoding="utf-8"))):
            before = found.get(code, (frozenset(), frozenset()))
            found[code] = (before[0] | severities, before[1] | modes)
    return found


def _issues(tree: ast.Module) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    helpers = _helpers(tree)
    # What is chosen before an issue is made stands elsewhere in the module.
    nearby = _names(tree)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        code = node.args[0]
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            made = helpers.get(node.func.id) or _made(node)
            if made is not None:
                yield code.value, made[0] or _severities(nearby), made[1] or _modes(nearby)


def _helpers(tree: ast.Module) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return what the functions of a module make whose first argument is a code."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.args.args[:1]:
            made = [m for n in ast.walk(node) if isinstance(n, ast.Call) and (m := _made(n))]
            if node.args.args[0].arg == "code" and made:
                found[node.name] = made[0]
    return found


def _made(node: ast.Call) -> tuple[frozenset[str], frozenset[str]] | None:
    """Return severities and modes of the issue that a call makes."""
    maker = node.func.id if isinstance(node.func, ast.Name) else ""
    if maker in MAKERS:
        return frozenset({"error"}), frozenset({"EVERY_MODE"})
    if maker != "Issue":
        return None
    modes = _modes(_names(node.args[6])) if len(node.args) > 6 else frozenset({"NOTHING"})
    return _severities(_names(node.args[1])), modes


def _severities(names: set[str]) -> frozenset[str]:
    return frozenset(n.lower() for n in names & {"ERROR", "WARNING", "INFO"})


def _modes(names: set[str]) -> frozenset[str]:
    return frozenset(names & MODES.keys())


def _names(node: ast.AST) -> set[str]:
    inner = list(ast.walk(node))
    attributes = {n.attr for n in inner if isinstance(n, ast.Attribute)}
    return attributes | {n.id for n in inner if isinstance(n, ast.Name)}


def reason_page() -> str:
    """Return the page of reason codes.

    Raises:
        ValueError: a code of the source has no text here, or a text has no code.
    """
    known = codes_in_source()
    if known.keys() != _ALL:
        missing, dead = sorted(known.keys() - _ALL), sorted(_ALL - known.keys())
        raise ValueError(f"reason codes without a text: {missing}; texts without a code: {dead}")
    parts = [INTRODUCTION.rstrip()]
    for section, texts in TEXTS.items():
        lines = [f"## {section}\n", "| code | severity | blocks | what it means | what to do |"]
        lines.append("|---|---|---|---|---|")
        for code, (meaning, advice) in texts.items():
            severities, modes = known[code]
            ranked = [s for s in ("error", "warning", "info") if s in severities]
            blocks = [MODES[m] for m in MODES if m in modes and MODES[m]]
            note = " (1)" if code in SOMETIMES_ODE else ""
            cells = (f"`{code}`", " or ".join(ranked), " or ".join(blocks) + note, meaning, advice)
            lines.append("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|")
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, CLOSING])


_ALL = {code for texts in TEXTS.values() for code in texts}
