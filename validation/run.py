"""sbmlgrad beside other simulators and exact answers, on every model at hand: the campaign.

Run `python validation/run.py --models DIR --suite DIR --referees-python PATH [--quick] [--write]`:
the shipped models, BioModels meant for stochastic simulation (`--models`) and the cases of the
stochastic test suite (`--suite`), each with every referee that is installed. Every comparison is
one line of `--records`, and a second run goes on from there. Where a simulator disagrees, both
sides are compared with an exact answer. `--write` draws the page, the table and the figure.
Exit code 1: sbmlgrad failed, or a disagreement is not proved to be the referee's fault.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from campaign.compare import (
    CLOSED_FORM,
    FAILED,
    NAMES,
    OURS_FAILED,
    PLANTED,
    TABLE,
    Effort,
    as_request,
    identity,
    is_finished,
    judges,
)
from campaign.page import write
from campaign.records import append, key, latest, read
from campaign.report import is_settled, table, told
from campaign.subjects import NATURAL, ROOT, SHIPPED, SUITE, Subject, chosen, files, subject_of
from peers.protocol import run_limited

from sbmlgrad.referees import referee

RESULTS = ROOT / "validation" / "results"
PAGE = ROOT / "docs" / "explanation" / "cross-check.md"

FULL = Effort("full", None, 5.0, 10_000, 300.0, patient_s=45.0)
QUICK = Effort("quick", 200, 10.0, 1_000, 120.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; return 1 if a disagreement is not explained, else 0."""
    options = _parser().parse_args(arguments)
    effort = QUICK if options.quick else FULL
    is_apart = (options.out or RESULTS).resolve() != RESULTS and options.page.resolve() != PAGE
    if options.quick and options.write and not is_apart:
        sys.exit("--quick --write: give --out and --page, so that quick looks stay apart")
    name = "campaign_quick.jsonl" if options.quick else "campaign.jsonl"
    records = options.records or RESULTS / name
    pythons, absent = installed(options.referees, options.referees_python)
    for words in absent:
        print(f"left out: {words}", flush=True)
    for subject in _subjects(options, records):
        run_subject(subject, pythons, effort, options.plant, records)
    found = latest(r for r in read(records) if r.get("effort") == effort.name)
    if not found:
        sys.exit("nothing was compared: give --models and --suite, or other names to --only")
    text = table(found)
    print(text)
    if options.write:
        for path in write(found, absent, effort, options.out or RESULTS, options.page):
            print(f"wrote {path}")
    return int(not all(map(is_settled, found)))


def installed(names: Sequence[str], python: str | None) -> tuple[dict[str, str | None], list[str]]:
    """Return referee → interpreter that has it, and in words which are left out.

    Args:
        names: of referees.
        python: interpreter that is looked at first; None for this one alone.
    """
    found: dict[str, str | None] = {}
    absent = []
    for name in names:
        if name in (CLOSED_FORM, TABLE):
            found[name] = None
            continue
        places = [python, None] if python else [None]
        where = [place for place in places if referee(name, place).is_available()]
        if where:
            found[name] = where[0]
        else:
            absent.append(f"{name} is not installed; {referee(name).install_with}")
    return found, absent


def run_subject(
    subject: Subject,
    pythons: Mapping[str, str | None],
    effort: Effort,
    plant: float | None,
    records: Path,
) -> None:
    """Compare one network with every referee that has no record of it yet.

    Args:
        subject: the network.
        pythons: referee → interpreter.
        effort: how much to compare.
        plant: factor of a wrong referee, or None.
        records: file of records.
    """
    while True:
        done = _done(records, effort)
        every = judges(subject, pythons, plant)
        left = [n for n in every if key(identity(subject, n, effort)) not in done]
        if not left:
            return
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="campaign-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            request = as_request(subject, left, pythons, effort, plant, records)
            (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
            script = Path(__file__).with_name("run_compare.py")
            limit = effort.timeout_s * (1 + len(left))
            ended, words = run_limited([sys.executable, str(script), name], folder, limit)
        made = [r for r in _finished(records, effort) if key(r) not in done]
        for record in made:
            print(told(record), flush=True)
        open_still = left[len(made) :]
        if open_still:
            # Whatever ended the process, it was at the first that has no record.
            verdict = OURS_FAILED if ended else FAILED
            reason = words if ended else f"out of time after {time.perf_counter() - begin:.0f} s"
            record = {**identity(subject, open_still[0], effort), "verdict": verdict}
            append(records, {**record, "words": reason})
            print(told({**record, "words": reason}), flush=True)


def _done(records: Path, effort: Effort) -> set[tuple[Any, ...]]:
    return {key(record) for record in _finished(records, effort)}


def _finished(records: Path, effort: Effort) -> list[dict[str, Any]]:
    return [record for record in read(records) if is_finished(record, effort)]


def _subjects(options: argparse.Namespace, records: Path) -> Iterable[Subject]:
    """Yield the networks asked for; a horizon that was sought once is kept."""
    folders = {SHIPPED: options.shipped, NATURAL: options.models, SUITE: options.suite}
    for group, folder in folders.items():
        if folder is None:
            continue
        # What is named is compared, also in a quick run.
        every = files(group, folder, quick=options.quick and not options.only)
        for name, document in chosen(every, group, options.only):
            kept = {
                (r["subject"]["group"], r["subject"]["name"]): r["subject"]
                for r in read(records)
                if "subject" in r
            }
            known = kept.get((group, name))
            if known is not None:
                yield Subject(**{**known, "document": str(document.resolve())})
                continue
            made = subject_of(group, name, document, 120.0)
            # Paths differ from machine to machine.
            append(records, {"subject": {**made.as_dict(), "document": document.name}})
            yield made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ", ".join(NAMES)
    parser.add_argument("--models", type=Path, help="folder of BioModels files")
    parser.add_argument("--suite", type=Path, help="the suite's folder stochastic")
    parser.add_argument("--shipped", type=Path, default=ROOT / "models" / "sbml")
    parser.add_argument(
        "--only", type=_set, default=frozenset(), help="models, cases or groups; default all"
    )
    parser.add_argument(
        "--referees", type=_referees, default=NAMES, help=f"some of {names}; default all"
    )
    parser.add_argument("--referees-python", help="interpreter that has the simulators")
    parser.add_argument("--quick", action="store_true", help="few trajectories of some models")
    parser.add_argument(
        "--records",
        type=Path,
        help="default campaign.jsonl, of quick runs campaign_quick.jsonl, in validation/results",
    )
    parser.add_argument("--plant", type=float, help=f"add a wrong referee, '{PLANTED}': a factor")
    parser.add_argument("--write", action="store_true", help="draw page, table and figure")
    parser.add_argument("--out", type=Path, help="folder of table and figure")
    parser.add_argument("--page", type=Path, default=PAGE)
    return parser


def _set(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _referees(text: str) -> tuple[str, ...]:
    given = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in given if name not in NAMES]
    if unknown or not given:
        raise argparse.ArgumentTypeError(f"{text!r}: choose from {', '.join(NAMES)}")
    return tuple(name for name in NAMES if name in given)


if __name__ == "__main__":
    # So that `run_limited` ends what it started, as at an interrupt from the keyboard.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
