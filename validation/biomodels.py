"""Real models of a repository: what becomes of every file, in sbmlgrad and in other simulators.

Run `python biomodels.py --models DIR --out FILE.md`; `--peers roadrunner,copasi,gillespy2
--peer-python PATH` feeds the same files to others at the horizon that sbmlgrad found, and says how
many each runs and runs rightly (`suites.biomodels_judge`). Every run has a process and a time limit
of its own. `--records FILE.jsonl` keeps what was found, and a second run goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from dsmts import available
from numpy.typing import NDArray
from peers.protocol import Answer, Peer, ask, run_limited
from peers.worker import Request
from suites.biomodels_files import features, in_items, species_of
from suites.biomodels_judge import disagreement, starts_differ, structural_faults, usable
from suites.biomodels_ours import STEPS
from suites.biomodels_report import report

OURS = Path(__file__).parent / "suites" / "biomodels_ours.py"

#: The horizon, and the number of species, at which peers are asked where sbmlgrad has none to give.
FALLBACK_HORIZON, FALLBACK_SPECIES = 10.0, 50

#: Trajectories that show that a simulator runs.
FEWEST = 2

#: A second comparison has so many times the trajectories.
MULTIPLE = 4

Values = NDArray[np.float64]


def ask_ours(
    path: Path, trajectories: int, seed: int, limit_s: float, longest: float | None = None
) -> tuple[dict[str, Any], Values | None]:
    """Run one model through sbmlgrad.

    Args:
        path: the file.
        trajectories: how many.
        seed: 0 <= seed < 2^31.
        limit_s: wall-clock limit in seconds.
        longest: longest horizon to try, in the model's unit of time; None for the usual one.

    Returns:
        What `suites.biomodels_ours` wrote, with `ending` where it did not come to its end, and the
        amounts sampled, float64 [trajectory, time, species], or None.
    """
    with tempfile.TemporaryDirectory(prefix="biomodels-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        request = {
            "document": str(path.resolve()),
            "trajectories": trajectories,
            "seed": seed,
            "longest": longest,
        }
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        ended, words = run_limited([sys.executable, str(OURS), name], folder, limit_s)
        written = folder / "ours.json"
        found: dict[str, Any] = json.loads(written.read_text()) if written.exists() else {}
        found.setdefault("stage", "start")
        found.setdefault("attempts", [])
        if not ended and found["stage"] == "rate equations":
            # The stochastic simulation is done by then, and stands.
            found["ode"] = {"outcome": "timeout"}
        elif not ended:
            found["ending"] = f"timeout while {found['stage']}"
        elif found["stage"] != "done":
            found["ending"] = f"crash while {found['stage']}"
            found["message"] = words
        values = folder / "values.npy"
        return found, np.load(values) if values.exists() else None


def run_model(
    path: Path, peers: Sequence[Peer], python: str, options: argparse.Namespace
) -> dict[str, Any]:
    """Run one model with sbmlgrad and the peers.

    Args:
        path: the file.
        peers: whom else to ask.
        python: interpreter of the peers.
        options: of the command line.

    Returns:
        The record, plain data, one line of `--records`.
    """
    seed = zlib.crc32(f"{options.seed} {path.stem}".encode()) >> 1
    found, values = ask_ours(path, options.trajectories, seed, options.limit)
    constructs = features(path)
    reading = found["attempts"][-1] if found["attempts"] else {}
    by_molecules = reading.get("by_molecules", False)
    simulated = reading.get("outcome") == "simulated" and values is not None
    if by_molecules:
        constructs -= {"mole"}
    if "initial" in reading.get("options", {}):
        constructs |= {"non_integer_start"}
    record = {"model": path.stem, "ours": found, "features": sorted(constructs), "peers": {}}
    species = tuple(reading["species"]) if simulated else species_of(path, FALLBACK_SPECIES)
    if not species or not peers:
        return record
    with tempfile.TemporaryDirectory(prefix="biomodels-") as name:
        document = path
        if by_molecules:
            document = Path(name) / path.name
            document.write_bytes(in_items(path))
        request = Request(
            str(document),
            species,
            reading.get("horizon", FALLBACK_HORIZON),
            STEPS,
            options.trajectories,
            (seed + 1) & 0x7FFFFFFF,
        )
        for peer in peers:
            # A peer that rounds as we were told to has done what was asked for.
            judged = constructs - ({"non_integer_start"} if peer.name == "copasi" else set())
            faults = structural_faults(peer.name, judged)
            # Where nothing is compared, it is enough to see that it runs.
            compared = simulated and not faults
            asked = request if compared else replace(request, trajectories=FEWEST)
            limit = options.limit if compared else options.glance
            answer = ask(peer, asked, python=python, limit_s=limit)
            rounded = "non_integer_start" in constructs
            verdict = judge(answer, values if simulated else None, faults, rounded=rounded)
            if verdict == "disagrees":
                verdict = again(path, peer, request, python, options, answer, values)
            record["peers"][peer.name] = {
                "as_it_stands": as_it_stands(path, peer, request, python, answer, options.glance),
                "status": answer.status,
                "message": answer.message[:200],
                "seconds": round(answer.seconds, 1),
                "verdict": verdict,
                "faults": list(faults),
            }
    return record


def as_it_stands(
    path: Path, peer: Peer, request: Request, python: str, answer: Answer, limit_s: float
) -> str:
    """Return the status of a peer on the file itself, where it was fed one with other units.

    Args:
        path: the file.
        peer: the simulator.
        request: what it was asked, maybe for a document with other units.
        python: interpreter of the peer.
        answer: what it answered to that.
        limit_s: wall-clock limit in seconds.
    """
    if request.document == str(path):
        return answer.status
    two = replace(request, document=str(path), trajectories=FEWEST)
    return ask(peer, two, python=python, limit_s=limit_s).status


def judge(
    answer: Answer, ours: Values | None, faults: Sequence[str], *, rounded: bool = False
) -> str:
    """Return `right`, `wrong`, `disagrees` or `not judged`, or a status if nothing came back.

    Where the start had to be made whole, one that differs is no disagreement: `other start`.

    Args:
        answer: the peer's.
        ours: amounts that sbmlgrad sampled, or None.
        faults: what the peer is measured to do wrong with this model.
        rounded: whether the document's start is no whole number of molecules.
    """
    if answer.values is None:
        return answer.status
    if faults or not usable(answer.values):
        return "wrong"
    if ours is None:
        return "not judged"
    if not disagreement(ours, answer.values).any():
        return "right"
    return "other start" if rounded and starts_differ(ours, answer.values) else "disagrees"


def again(
    path: Path,
    peer: Peer,
    request: Request,
    python: str,
    options: argparse.Namespace,
    answer: Answer,
    values: Values | None,
) -> str:
    """Repeat a disagreement with fresh seeds and more trajectories.

    Args:
        path: the file.
        peer: the simulator.
        request: what was asked first.
        python: interpreter of the peer.
        options: of the command line.
        answer: the first answer of the peer.
        values: our first sample, amounts, float64 [trajectory, time, species].

    Returns:
        `disagrees` if a statistic differs both times or there is no second sample, else `right`.
    """
    number, seed = MULTIPLE * request.trajectories, request.seed ^ 0x2AAAAAAA
    _, ours = ask_ours(path, number, seed, MULTIPLE * options.limit)
    more = replace(request, trajectories=number, seed=seed ^ 1)
    theirs = ask(peer, more, python=python, limit_s=MULTIPLE * options.limit)
    if ours is None or theirs.values is None or values is None or answer.values is None:
        return "disagrees"
    if ours.shape != theirs.values.shape:
        return "disagrees"
    both = disagreement(values, answer.values) & disagreement(ours, theirs.values)
    return "disagrees" if both.any() else "right"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder of .xml files")
    parser.add_argument("--only", default="", help="ids, with commas; default all")
    parser.add_argument("--trajectories", type=int, default=100)
    parser.add_argument("--peers", default="")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a run")
    parser.add_argument(
        "--glance", type=float, default=20.0, help="seconds for a peer that is not compared"
    )
    parser.add_argument("--records", type=Path, help="JSON lines to go on from and to add to")
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    return parser.parse_args()


def main() -> int:
    """Run the campaign."""
    options = arguments()
    peers = available([p for p in options.peers.split(",") if p], options.peer_python)
    only = {name for name in options.only.split(",") if name}
    paths = [p for p in sorted(options.models.glob("*.xml")) if not only or p.stem in only]
    if not paths:
        sys.exit(f"{options.models} holds no such .xml files")
    records: dict[str, dict[str, Any]] = {}
    if options.records and options.records.exists():
        lines = options.records.read_text(encoding="utf-8").splitlines()
        records = {record["model"]: record for record in map(json.loads, lines)}
    for path in paths:
        if path.stem in records:
            continue
        records[path.stem] = run_model(path, peers, options.peer_python, options)
        line = json.dumps(records[path.stem])
        print(line[:300], flush=True)
        if options.records:
            with options.records.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
    chosen = [records[path.stem] for path in paths]
    text = report(chosen, options.trajectories, options.limit, options.glance)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return int(any("ending" in record["ours"] for record in chosen))


if __name__ == "__main__":
    sys.exit(main())
