"""What the commands share: options as text, issues on the screen, a progress bar."""

from __future__ import annotations

import json as json_module
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def issue_as_dict(issue: Any) -> dict[str, Any]:
    """Return an issue as plain data, as `check --json` prints it."""
    return {
        "severity": str(issue.severity),
        "code": issue.code,
        "element": issue.element,
        "line": issue.line,
        "message": issue.message,
        "advice": issue.advice,
        "blocks": sorted(issue.blocks),
    }


def print_issues(name: str, issues: Any) -> None:
    """Print the issues of one file in colour."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    colours = {"error": "red", "warning": "yellow", "info": "cyan"}
    blocked = frozenset[str]().union(*(issue.blocks for issue in issues))
    verdict = "[green]can be simulated exactly[/]"
    if "ssa" in blocked:
        verdict = "[red]cannot be simulated exactly[/]"
        verdict += " nor by ODE" if "ode" in blocked else ", but by ODE"
    number = f"{len(issues)} issue{'s'[: len(issues) != 1]}" if issues else "no issues"
    console.print(f"[bold]{escape(name)}[/]: {verdict}, {number}")
    for issue in issues:
        where = escape(issue.element) + (f", line {issue.line}" if issue.line else "")
        colour = colours[str(issue.severity)]
        console.print(f"  [{colour}]{issue.severity}[/] {issue.code} ({where})")
        console.print(f"    {escape(issue.message)} {escape(issue.advice)}")


def print_summary(counts: dict[str, Any]) -> None:
    """Print what checking many files found: verdicts, then reason codes by number of files."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    verdicts = {
        "simulated exactly": counts["simulated_exactly"],
        "only by ODE": counts["only_ode"],
        "refused": counts["refused"],
        "not checked": counts["not_checked"],
    }
    table = Table("files", "verdict", box=None, pad_edge=False)
    for verdict, number in verdicts.items():
        if number or verdict != "not checked":
            table.add_row(str(number), verdict)
    console.print(table)
    if counts["codes"]:
        table = Table("files", "issues", "code", "severity", box=None, pad_edge=False)
        for code, row in counts["codes"].items():
            severities = [s for s in ("error", "warning", "info") if row[f"{s}s"]]
            table.add_row(str(row["files"]), str(row["issues"]), code, ", ".join(severities))
        console.print(table)
    if counts["interrupted"]:
        console.print(f"interrupted: {counts['not_checked']} files were not checked")


def names_of(text: str) -> tuple[str, ...]:
    """Return the names in a text such as `A, B`; empty ones are left out."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def times_of(text: str) -> Any:
    """Return the times that START:STOP:STEPS, or several such grids with commas, mean.

    Returns:
        float64 [time].

    Raises:
        RequestError: the text means none.
    """
    from sbmlgrad.model.time_grids import together

    return together([_grid_of(part, text) for part in text.split(",")])


def _grid_of(part: str, text: str) -> Any:
    import math

    import numpy as np

    from sbmlgrad.errors import RequestError

    parts = part.split(":")
    try:
        first, last, steps = number(parts[0]), number(parts[1]), int(parts[2])
        if len(parts) != 3 or steps < 1 or not -math.inf < first < last < math.inf:
            raise ValueError
    except (ValueError, IndexError):
        raise RequestError(
            f"--times {text}: write START:STOP:STEPS with STOP > START and STEPS >= 1, "
            "for instance 0:10:100, or several: 0:1:10,0:10:10"
        ) from None
    return np.linspace(first, last, steps + 1)


def pairs(entries: list[str] | None, option: str) -> dict[str, str]:
    """Return NAME=VALUE options as a mapping.

    Args:
        entries: what was given, once for every time the option was.
        option: its name, for messages.

    Raises:
        RequestError: an entry without `=` or name, or a name given twice.
    """
    from sbmlgrad.errors import RequestError

    result = {}
    for entry in entries or []:
        name, sign, value = entry.partition("=")
        if not sign or not name.strip():
            raise RequestError(f"{option} {entry}: write NAME=VALUE")
        if name.strip() in result:
            raise RequestError(f"{option} {entry}: '{name.strip()}' is given twice; keep one")
        result[name.strip()] = value.strip()
    return result


def numbers(entries: list[str] | None, option: str = "--set") -> dict[str, float]:
    """Return NAME=NUMBER options as a mapping; arguments as for `pairs`.

    Raises:
        RequestError: as `pairs` does, or a value is not a number.
    """
    from sbmlgrad.errors import RequestError

    result = {}
    for name, value in pairs(entries, option).items():
        try:
            result[name] = number(value)
        except ValueError:
            raise RequestError(
                f"{option} {name}={value}: '{value}' is not a number; write one such as 0.5 or 1e-3"
            ) from None
    return result


def number(text: str) -> float:
    """Return the number that a text means.

    Raises:
        ValueError: there is none, or it is one of Python only, such as 0_5, a comma misspelt.
    """
    if "_" in text:
        raise ValueError(text)
    return float(text)


def bound(text: str) -> tuple[float, float]:
    """Return the two numbers of LOW:HIGH.

    Raises:
        RequestError: there are not two numbers.
    """
    from sbmlgrad.errors import RequestError

    low, _, high = text.partition(":")
    try:
        return number(low), number(high)
    except ValueError:
        raise RequestError(f"--bounds {text}: write LOW:HIGH, for instance 0.01:10") from None


def print_json(document: Any) -> None:
    """Print one JSON document."""
    print(json_module.dumps(document, indent=2))


@contextmanager
def progress_bar(label: str, is_silent: bool) -> Iterator[Callable[..., None] | None]:
    """Show a bar on standard error while work goes on, if someone can see it.

    Args:
        label: what is going on.
        is_silent: whether to show nothing in any case.

    Yields:
        What to call with (done, total), total 0 where the end is open, and, where there is one, the
        loss; None if nothing is shown.
    """
    if is_silent or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[done]}"),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=1, loss="", done="")

        def advance(done: int, total: int, loss: float | None = None) -> None:
            # A total of 0 means that the end is open.
            text = "" if loss is None else f"loss {loss:.4g}"
            counted = f"{done:.0f}/{total:.0f}" if total else f"{done:.0f}"
            bar.update(task, completed=done, total=total or None, loss=text, done=counted)

        yield advance


def import_tensorflow_quietly() -> None:
    """Import TensorFlow without the notes on devices that its C++ part prints at start."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        import keras
        import tensorflow as tf

        # Some of the notes come with the first operation.
        tf.zeros(1)
        del keras
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def tell_without_petab(result: Any) -> None:
    """Say on the screen why the results of a fit hold no PEtab problem, where they hold none."""
    from sbmlgrad.fit.fitted_petab import petab_refusal

    if refusal := petab_refusal(result):
        print(f"there is no PEtab problem in the results: {refusal}", file=sys.stderr)
