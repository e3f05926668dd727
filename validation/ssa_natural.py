"""Models meant for stochastic simulation: each loads, runs, and agrees with another simulator.

Run `python validation/ssa_natural.py --models DIR --out FILE.md`. Every model runs in a process of
its own: `suites.biomodels_ours` finds its horizon and samples it; `sbmlgrad.validate` then compares
means and variances with libRoadRunner on sbmlgrad's normalised export, where that simulator can run
it. Exit code 1: a model did not run, or a disagreement was found.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from biomodels import ask_ours
from peers.protocol import run_limited

#: How often a horizon in which trajectories fail is cut to a tenth.
MOST_CUTS = 4

#: Largest words of a failure that a table shows.
LONGEST = 160


def compare(folder: Path) -> None:
    """Compare one model as `request.json` in a folder says; write `compared.json` there."""
    import numpy as np

    import sbmlgrad as sg

    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    model = sg.load(request["document"], **request["options"])
    times = np.linspace(0.0, request["horizon"], 11)[1:]
    try:
        found = sg.validate(
            model,
            against=request["against"],
            times=times,
            trajectories=request["trajectories"],
            seed=request["seed"],
            timeout_s=request["limit_s"],
        )
    except sg.SbmlGradError as error:
        answer = {"verdict": "not compared", "message": f"{type(error).__name__}: {error}"}
    else:
        comparison = found.comparisons[0]
        answer = {
            "verdict": "agrees" if found.agrees else "DISAGREES",
            "z": float(np.abs(comparison.z).max()),
            "y": float(np.abs(comparison.y).max()),
            "bound": comparison.bound,
            "message": "",
        }
        if found.still:
            answer |= {"verdict": "not compared", "message": found.still}
    (folder / "compared.json").write_text(json.dumps(answer), encoding="utf-8")


def run_model(path: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the row of the table that running one model gives.

    Args:
        path: the file.
        options: of the command line.
    """
    seed = zlib.crc32(f"{options.seed} {path.stem}".encode()) >> 1
    found, values = ask_ours(path, options.trajectories, seed, options.limit)
    last = found["attempts"][-1] if found["attempts"] else {}
    row: dict[str, Any] = {"model": path.stem, "ran": values is not None}
    for _ in range(MOST_CUTS):
        if last.get("outcome") != "failed" or "horizon" not in last:
            break
        # A law without a value, or that fires what is not there, ends a model's time, not its use.
        row["failed"] = f"{', '.join(last['codes'])} within {last['horizon']:g}"
        longest = 1.5 * last["horizon"] / 10.0
        found, values = ask_ours(path, options.trajectories, seed, options.limit, longest)
        last = found["attempts"][-1] if found["attempts"] else {}
        row["ran"] = values is not None
    if values is None:
        reason = found.get("ending") or f"{last['outcome']} {', '.join(last['codes'])}"
        return {**row, "verdict": "", "message": f"{reason}: {last.get('message', '')}"}
    row |= {k: last[k] for k in ("options", "horizon", "firings")}
    row |= {"rate equations": found.get("ode", {})}
    with tempfile.TemporaryDirectory(prefix="ssa-natural-") as name:
        folder = Path(name)
        request = {
            "document": str(path.resolve()),
            "options": last["options"],
            "horizon": last["horizon"],
            "against": options.against,
            "trajectories": options.trajectories,
            "seed": seed,
            "limit_s": options.limit,
        }
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        # Room for the confirming run with four times the trajectories, and for our own side.
        command = [sys.executable, str(Path(__file__).resolve()), "--compare", name]
        ended, words = run_limited(command, folder, 10 * options.limit)
        answer = folder / "compared.json"
        if not ended:
            return {**row, "verdict": "not compared", "message": "out of time"}
        if not answer.exists():
            return {**row, "verdict": "CRASH", "message": words}
        return {**row, **json.loads(answer.read_text(encoding="utf-8"))}


def report(rows: Sequence[dict[str, Any]], options: argparse.Namespace) -> str:
    """Return the table as Markdown.

    Args:
        rows: as `run_model` returns them.
        options: of the command line.
    """
    agree = sum(row["verdict"] == "agrees" for row in rows)
    compared = sum(row["verdict"] in ("agrees", "DISAGREES") for row in rows)
    lines = [
        "# Models meant for stochastic simulation",
        "",
        f"{len(rows)} models, {options.trajectories} trajectories: {sum(r['ran'] for r in rows)} "
        f"ran, {sum('failed' in r for r in rows)} of them within a tenth of a horizon in which "
        f"some trajectory fails; of {compared} that {options.against} ran on the normalised "
        f"export, {agree} agree. "
        "A disagreement is one found twice, the second time with four times the trajectories "
        "(chance of a false one at most 0.001 a model).",
        "",
        "| model | ran | read with | horizon | firings | rate equations | comparison | max abs Z | "
        "max abs Y | bound |",
        "|---" * 10 + "|",
    ]
    for row in rows:
        ode = row.get("rate equations", {})
        near = {True: "near", False: "apart"}.get(ode.get("near"), ode.get("outcome", ""))
        cells = [
            row["model"],
            "yes" if row["ran"] else "NO",
            ", ".join(f"{k}={v}" for k, v in row.get("options", {}).items()),
            f"{row['horizon']:g}" if "horizon" in row else "",
            f"{row['firings']:,}" if "firings" in row else "",
            near,
            row["verdict"],
            *(f"{row[k]:.2f}" if k in row else "" for k in ("z", "y", "bound")),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    said = [f"- {row['model']}: {row['failed']}" for row in rows if "failed" in row]
    said += [f"- {row['model']}: {_plain(row['message'])}" for row in rows if row["message"]]
    return "\n".join([*lines, "", *said]).rstrip() + "\n"


def _plain(message: str) -> str:
    from suites.dsmts_report import FOLDERS

    text = FOLDERS.sub("", " ".join(message.split())).replace("|", "\\|")
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def main() -> int:
    """Run the campaign, or, for itself, one comparison."""
    if sys.argv[1:2] == ["--compare"]:
        compare(Path(sys.argv[2]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder of .xml files")
    parser.add_argument("--only", default="", help="ids, with commas; default all")
    parser.add_argument("--trajectories", type=int, default=100)
    parser.add_argument("--against", default="roadrunner")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a run")
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    options = parser.parse_args()
    only = {name for name in options.only.split(",") if name}
    paths = [p for p in sorted(options.models.glob("*.xml")) if not only or p.stem in only]
    if not paths:
        sys.exit(f"{options.models} holds no such .xml files")
    rows = []
    for path in paths:
        rows.append(run_model(path, options))
        print(rows[-1], flush=True)
    text = report(rows, options)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    wrong = [row for row in rows if not row["ran"] or row["verdict"] in ("DISAGREES", "CRASH")]
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
