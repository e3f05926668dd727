"""How to repeat a fit: lines of Python, as far as its result file is enough for them."""

from __future__ import annotations

import ast

from sbmlgrad import engines, gradients
from sbmlgrad.fit import objectives
from sbmlgrad.fit.report.kind import objective_kind
from sbmlgrad.fit.result import FitResult

#: Module → names that texts of arguments may use.
_HOMES = {module.__name__: module.__all__ for module in (objectives, gradients, engines)} | {
    "sbmlgrad.fit.parallel": ["Dask", "Serial"],
    "sbmlgrad.io.dwell_files": ["load_dwells"],
}


def reproduction(result: FitResult) -> str:
    """Return Python text that repeats the fit from its result file; empty if that is not known.

    Where something is neither in the file nor can be said in text, such as a function or a record
    made in Python, a comment says what has to be made before.
    """
    if not result.arguments:
        return ""
    given, modules, comments = [], {"sbmlgrad.fit.storage.result_file": {"load_result"}}, []
    for name, text in result.arguments.items():
        argument, comment = _runnable(name, text)
        given.append(f"{name}={argument}")
        comments += [f"# {comment}"] if comment else []
        for module, used in _imports(argument).items():
            modules.setdefault(module, set()).update(used)
    lines = ["import sbmlgrad as sg"]
    lines += [f"from {module} import {', '.join(sorted(modules[module]))}" for module in modules]
    lines += ["", 'problem = load_result("fit.nc").problem', *comments]
    return "\n".join([*lines, f"again = sg.fit(problem, {', '.join(given)})", ""])


def promise(result: FitResult) -> str:
    """Return in how far the same call gives the same numbers, in words."""
    if not (result.is_late or result.interrupted):
        return "The same versions and the same seed give the same numbers."
    what = "its budget of time" if result.is_late else "an interruption"
    if result.is_deterministic:
        return (
            f"The fit was ended by {what}. How far it comes until then depends on the machine, so "
            "that the same call need not give the same numbers."
        )
    done = len(result.loss_history)
    # Nor would `epochs`: it has a learning rate and steps after the last epoch of its own.
    return (
        f"The fit was ended by {what} after {done} epoch{'s' if done != 1 else ''}. How far it "
        "comes until then depends on the machine: the same versions, seed and method of gradients "
        "go the same way, epoch by epoch, and may end earlier or later on it, with other numbers. "
        "No number of epochs= repeats it, since a descent of a given length takes steps of other "
        "sizes."
    )


def kept_elsewhere(result: FitResult) -> str:
    """Return what the result file does not hold and a repetition needs, in words; usually empty."""
    if objective_kind(result) != "DwellTimes":
        return ""
    return "The record of dwells is the exception: it belongs to the objective and is not in there."


def _runnable(name: str, text: str) -> tuple[str, str]:
    """Return an argument of `fit` that can be run, and what to make before, or nothing."""
    try:
        parsed = ast.parse(text, mode="eval").body
    except SyntaxError:
        # What has no text of its own, such as a function, prints as <function ...>.
        return name, f"{name}: what was given is {text}; make it again"
    if isinstance(parsed, ast.Call) and ast.unparse(parsed.func) == "DwellTimes":
        settings = {keyword.arg: keyword.value for keyword in parsed.keywords}
        record = settings.get("record")
        if isinstance(record, ast.Constant):
            classes = ast.unparse(settings["classes"])
            told = f"record: it was {record.value}; make it again"
            return f"DwellTimes(record, classes={classes})", told
    if unknown := _names(text) - {known for names in _HOMES.values() for known in names}:
        # Of the caller's own making, or from where cannot be known.
        told = f"what was given is {text}, where {', '.join(sorted(unknown))} has to be imported"
        return name, f"{name}: {told}; make it again"
    return text, ""


def _imports(text: str) -> dict[str, set[str]]:
    """Return module → names to import for a text."""
    homes = {module: _names(text) & set(names) for module, names in _HOMES.items()}
    return {module: names for module, names in homes.items() if names}


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
