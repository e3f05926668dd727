"""Firings per second of our kernels beside rebop, bioscrape, COPASI, GillesPy2 and libRoadRunner.

Run `python validation/benchmarks/throughput.py --quick --out FOLDER` for a first look, and without
`--quick` for figures to quote. Peers are optional; `--peers-python` names the interpreter of an
environment that has them:

    python -m venv peers
    peers/bin/pip install rebop bioscrape python-copasi gillespy2 scons libroadrunner

Every contender runs in a process of its own and takes its turn in every round. An interrupt
(Ctrl-C) leaves the tables and figures of what was measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from engine_timing.axes import AXES, Plan, Results
from engine_timing.contenders import PEER_NAMES, installed, machine, peers
from engine_timing.measure import Effort
from engine_timing.models import MODELS
from engine_timing.plots import plots
from engine_timing.tables import as_json, report

#: A large network is no part of a quick look unless it is named.
_QUICK_MODELS = tuple(name for name in MODELS if name != "sparse_100000")

_QUICK = Effort(rounds=2, seconds=0.1, budget_s=40.0)
_FULL = Effort(rounds=7, seconds=1.0, budget_s=180.0)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 130 if interrupted, 1 if our own engine failed, else 0."""
    given = _parser().parse_args(arguments)
    base = _QUICK if given.quick else _FULL
    effort = Effort(
        given.rounds or base.rounds, given.seconds or base.seconds, given.budget or base.budget_s
    )
    begin = time.perf_counter()

    def say(line: str) -> None:
        print(f"[{time.perf_counter() - begin:7.1f} s] {line}", file=sys.stderr, flush=True)

    out = Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    results = Results()
    described = machine()
    missing: dict[str, str] = {}
    code = 0
    with tempfile.TemporaryDirectory(prefix="throughput-") as name:
        try:
            chosen = peers(given.peers_python, given.peers)
            missing = installed(chosen, Path(name), say)
            present = [peer for peer in chosen if peer.name not in missing]
            models = given.models or (_QUICK_MODELS if given.quick else tuple(MODELS))
            plan = Plan(present, effort, Path(name), say, models, given.quick)
            for axis in given.only:
                AXES[axis](plan, results)
                save(results, described, missing, out)
        except KeyboardInterrupt:
            say("interrupted; what was measured is kept")
            code = 130
    save(results, described, missing, out)
    for path in plots(results, out):
        say(f"wrote {path}")
    print((out / "throughput.md").read_text(encoding="utf-8"))
    return code or int(bool(results.failures))


def save(
    results: Results, described: Mapping[str, str], missing: Mapping[str, str], out: Path
) -> None:
    """Write the tables and the raw figures."""
    text = report(results, described, missing)
    (out / "throughput.md").write_text(text, encoding="utf-8")
    data = as_json(results, described, missing)
    (out / "throughput.json").write_text(data + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="short jobs, for a first look")
    parser.add_argument(
        "--only", type=_names(tuple(AXES)), default=tuple(AXES), help=f"axes of {', '.join(AXES)}"
    )
    parser.add_argument(
        "--models", type=_names(tuple(MODELS)), help=f"of the axis models: {', '.join(MODELS)}"
    )
    parser.add_argument(
        "--peers",
        type=_names(PEER_NAMES),
        default=PEER_NAMES,
        help=f"of {', '.join(PEER_NAMES)}, or none",
    )
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter of the peers")
    parser.add_argument("--out", default="throughput", help="folder for tables and figures")
    parser.add_argument("--rounds", type=_positive(int), help="rounds of every contender")
    parser.add_argument("--seconds", type=_positive(float), help="processor time of a round, about")
    parser.add_argument(
        "--budget", type=_positive(float), help="seconds of one contender on one job"
    )
    return parser


def _names(known: tuple[str, ...]):
    def parse(text: str) -> tuple[str, ...]:
        names = tuple(part.strip() for part in text.split(",") if part.strip())
        if names == ("none",):
            return ()
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return names

    return parse


def _positive(kind: type):
    def parse(text: str):
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} is not above 0")
        return value

    return parse


if __name__ == "__main__":
    sys.exit(main())
