"""Runs the SBML semantic test suite in ODE mode and compares with its expected values.

    python validation/semantic.py --suite FOLDER [--cases 00001,00003] [--tiers FILE] [--out FILE]

Every case runs in a process of its own with a time limit and passes if all its values lie within
its own tolerances. Cases that ODE mode cannot mean (algebraic rules, delays, fast reactions, flux
balance) must be refused with the reason code that says so. The exit status is 1 if a case fails
that is not listed, with its reason, in the file given by --argued.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from suites.semantic_case import SuiteCase, case_numbers, read_case, read_tiers, worst_deviation

import sbmlgrad as sg

#: A model that makes everything be imported and compiled that a process of its own will need.
_WARM_UP = """<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
<model id="warm_up"><listOfParameters><parameter id="p" value="0" constant="false"/>
</listOfParameters><listOfRules><rateRule variable="p">
<math xmlns="http://www.w3.org/1998/Math/MathML"><piecewise><piece><cn>1</cn><apply><gt/>
<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>
<cn>1</cn></apply></piece><otherwise><cn>2</cn></otherwise></piecewise></math>
</rateRule></listOfRules></model></sbml>"""

PASSED, REFUSED, FAILED = "passed", "refused as expected", "failed"


@dataclass(frozen=True)
class Verdict:
    """What became of one document of a case.

    Attributes:
        number: of the case.
        level: of the document, such as `l3v2`.
        outcome: `passed`, `refused as expected` or `failed`.
        detail: largest deviation in units of the tolerance, or why it failed.
        seconds: time that it took.
    """

    number: str
    level: str
    outcome: str
    detail: str
    seconds: float = 0.0


def run_document(case: SuiteCase, level: str) -> Verdict:
    """Load and simulate one document of a case and compare it with what the suite expects.

    Args:
        case: the case.
        level: of the document, such as `l3v2`.

    Returns:
        The verdict; whatever sbmlgrad raises on purpose is one too.
    """
    refusals = case.expected_refusals

    def verdict(outcome: str, detail: str) -> Verdict:
        return Verdict(case.number, level, outcome, detail)

    try:
        model = sg.load(case.documents[level])
        solution = sg.simulate(model, times=case.times, engine=sg.engines.ODE())
        worst = {
            name: worst_deviation(
                solution.mean(name, case.quantities[name]),
                case.expected[name],
                case.absolute,
                case.relative,
            )
            for name in case.expected
        }
    except sg.SbmlGradError as error:
        codes = {issue.code for issue in getattr(error, "issues", ())}
        if codes & refusals:
            return verdict(REFUSED, ", ".join(sorted(codes & refusals)))
        return verdict(FAILED, f"{type(error).__name__} {', '.join(sorted(codes))}: {error}")
    symbol = max(worst, key=lambda name: worst[name], default="")
    if not symbol or worst[symbol] <= 1.0:
        return verdict(PASSED, f"{worst.get(symbol, 0.0):.3g}")
    return verdict(FAILED, f"'{symbol}' deviates by {worst[symbol]:.3g} times the tolerance")


@dataclass(frozen=True)
class Work:
    """One document of a case, read and run where it is called."""

    folder: Path
    level: str

    def __call__(self) -> Verdict:
        """Run it."""
        return run_document(read_case(self.folder), self.level)


def run_all(work: Sequence[Work], jobs: int, limit: float) -> list[Verdict]:
    """Run pieces of work, each in a process of its own; a crash or a hang is a failure.

    Args:
        work: what to run.
        jobs: processes at a time.
        limit: seconds that one may take.

    Returns:
        The verdicts, in the order of the work.
    """
    verdicts: dict[int, Verdict] = {}
    running: list[_Process] = []
    waiting = list(enumerate(work))[::-1]
    while waiting or running:
        while waiting and len(running) < jobs:
            place, piece = waiting.pop()
            running.append(_Process(place, piece, limit))
        wait([process.receiver for process in running], timeout=1.0)
        for process in list(running):
            verdict = process.verdict()
            if verdict is not None:
                verdicts[process.place] = verdict
                print(
                    f"{verdict.number} {verdict.outcome} {verdict.seconds:.1f} s", file=sys.stderr
                )
                running.remove(process)
    return [verdicts[i] for i in range(len(work))]


class _Process:
    """A piece of work under way."""

    def __init__(self, place: int, work: Work, limit: float) -> None:
        # A forked process starts at once, with everything imported.
        context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self.place, self.work, self.limit = place, work, limit
        self.receiver, sender = context.Pipe(duplex=False)
        self.started = time.perf_counter()
        self.process = context.Process(target=_send, args=(work, sender))
        with warnings.catch_warnings():
            # Newer Pythons warn of forking while threads of a library exist; ours hold no locks.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.process.start()
        sender.close()

    def verdict(self) -> Verdict | None:
        """Return the verdict, or None while there is none."""
        seconds = time.perf_counter() - self.started
        found: Any = None
        if self.receiver.poll():
            try:
                found = self.receiver.recv()
            except EOFError:
                self.process.join()
                found = f"the process ended with status {self.process.exitcode}"
        elif seconds > self.limit:
            self.process.terminate()
            found = f"no result within {self.limit:g} seconds"
        else:
            return None
        self.process.join()
        number, level = self.work.folder.name, self.work.level
        if isinstance(found, Verdict):
            return Verdict(number, level, found.outcome, found.detail, seconds)
        return Verdict(number, level, FAILED, str(found), seconds)


def _send(work: Work, sender: Any) -> None:
    try:
        sender.send(work())
    except Exception as error:  # whatever else is raised is a defect to be listed
        sender.send(f"{type(error).__name__}: {error}")


def table(verdicts: Iterable[Verdict], groups: Mapping[str, Sequence[str]], title: str) -> str:
    """Return a Markdown table of outcomes by group of cases.

    Args:
        verdicts: of documents.
        groups: case number → groups that it belongs to.
        title: head of the first column.
    """
    counted: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        for group in groups.get(verdict.number, ("(none)",)):
            counted.setdefault(group, Counter())[verdict.outcome] += 1
    lines = [
        f"| {title} | documents | passed | refused as expected | failed |",
        "|---|--:|--:|--:|--:|",
    ]
    for group, count in sorted(counted.items()):
        cells = (count.total(), count[PASSED], count[REFUSED], count[FAILED])
        lines.append(f"| {group} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def argued_cases(text: str) -> dict[str, str]:
    """Return case number → reason, from lines such as `00123: why it cannot pass`."""
    pairs = (line.strip("-* ").partition(":") for line in text.splitlines())
    return {n.strip(): why.strip() for n, _, why in pairs if n.strip().isdigit() and why.strip()}


def report(
    verdicts: Sequence[Verdict],
    tiers: Mapping[str, str],
    tags: Mapping[str, tuple[str, ...]],
    argued: Mapping[str, str],
) -> str:
    """Return the campaign's report as Markdown.

    Args:
        verdicts: of all documents.
        tiers: case number → tier.
        tags: case number → its tags.
        argued: case number → why it may fail.
    """
    failed = [v for v in verdicts if v.outcome == FAILED]
    closest = sorted((v for v in verdicts if v.outcome == PASSED), key=lambda v: -float(v.detail))
    slowest = sorted(verdicts, key=lambda v: -v.seconds)[:5]
    total = Counter(v.outcome for v in verdicts)
    parts = [
        "# SBML semantic test suite in ODE mode",
        f"{len(verdicts)} documents of {len({v.number for v in verdicts})} cases: "
        + ", ".join(f"{total[outcome]} {outcome}" for outcome in (PASSED, REFUSED, FAILED))
        + f". Engine: `{sg.engines.ODE()}`, sbmlgrad {sg.__version__}.",
        "## By tier",
        table(verdicts, {n: (t,) for n, t in tiers.items()}, "tier"),
        "## By tag",
        table(verdicts, tags, "tag"),
        "## Failures",
        "\n".join(
            f"- {v.number} {v.level}: {' '.join(v.detail.split())[:400]}"
            + (f" (argued: {argued[v.number]})" if v.number in argued else "")
            for v in failed
        )
        or "None.",
        "## Closest to their tolerance",
        "\n".join(f"- {v.number} {v.level}: {v.detail} times the tolerance" for v in closest[:5]),
        "## Slowest",
        "\n".join(f"- {v.number} {v.level}: {v.seconds:.1f} s" for v in slowest),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; return the exit status."""
    parser = argparse.ArgumentParser(description="SBML semantic test suite in ODE mode")
    parser.add_argument("--suite", type=Path, required=True, help="folder of the cases")
    parser.add_argument("--cases", default="", help="numbers, separated by commas; all by default")
    parser.add_argument("--tiers", type=Path, help="JSON file: tier → numbers")
    parser.add_argument("--argued", type=Path, help="cases that may fail, as 'number: reason'")
    parser.add_argument("--out", type=Path, help="file for the report")
    parser.add_argument("--all-levels", action="store_true", help="every document of a case")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one document")
    given = parser.parse_args(arguments)
    tiers = read_tiers(json.loads(given.tiers.read_text("utf-8"))) if given.tiers else {}
    argued = argued_cases(given.argued.read_text("utf-8")) if given.argued else {}
    work: list[Work] = []
    tags: dict[str, tuple[str, ...]] = {}
    try:
        cases = [read_case(given.suite / n) for n in case_numbers(given.suite, given.cases)]
    except sg.SbmlGradError as error:
        sys.exit(f"error: {error}")
    for case in cases:
        tags[case.number] = case.tags
        levels = list(case.documents)[0 if given.all_levels else -1 :]
        work += [Work(given.suite / case.number, at) for at in levels]
    sg.simulate(sg.load(_WARM_UP), times=[0.0, 2.0], engine=sg.engines.ODE())
    verdicts = run_all(work, given.jobs, given.limit)
    text = report(verdicts, tiers, tags, argued)
    print(text)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    return int(any(v.outcome == FAILED and v.number not in argued for v in verdicts))


if __name__ == "__main__":
    sys.exit(main())
