"""Do calibrated models mean the same in other tools?

Run `python write_back.py --peers roadrunner,copasi --peer-python PATH --out FILE.md`. Every model
of `models/sbml` (or of `--models DIR`) is given values and uncertainties as a fit gives them, and
is written with the package distrib and without it. libSBML must find nothing in what is written
that it does not find in the original raised to the same level with the same values, and every peer
that reads the file must find our means. Reversible laws are not sampled: one peer refuses them, one
fires them at the net rate. The test `tests/contract/test_written_back.py` compares the rate
equations of these models, too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import libsbml
import numpy as np
from dsmts import available
from peers.protocol import Peer, ask
from peers.worker import Request

import sbmlgrad as sg
from sbmlgrad.model.provenance import Estimate, Provenance

MODELS = Path(__file__).parents[1] / "models" / "sbml"
END, STEPS, TRAJECTORIES, SEED = 2.0, 4, 2000, 20
#: Two-sided chance of 1e-7 for one comparison; there are some hundreds.
MOST_Z = 5.3


def calibrated(model: sg.ReactionNetwork) -> sg.ReactionNetwork:
    """Return a model with other values, an uncertainty of each, and a record of a fit."""
    given = zip(model.parameter_ids, model.parameter_values.tolist(), strict=True)
    values = {name: value * 1.01 for name, value in given if value and np.isfinite(value)}
    estimates = {
        name: Estimate(v, standard_error=abs(v) / 10, interval=(v - abs(v) / 5, v + abs(v) / 5))
        for name, v in values.items()
    }
    record = Provenance(
        fitted=values,
        data_name="data.csv",
        data_sha256="0" * 64,
        seed=SEED,
        estimator="TwoSidedAdjoint()",
        loss=0.0,
        loss_standard_error=0.0,
        software={"sbmlgrad": sg.__version__},
        finished="2026-01-01T00:00:00Z",
        estimates=estimates,
    )
    return replace(model.with_parameters(values), provenance=record)


def findings(path: Path) -> Counter[int]:
    """Return what libSBML finds in a file: rule → how often."""
    document = libsbml.readSBMLFromFile(str(path))
    document.checkConsistency()
    return Counter(document.getError(i).getErrorId() for i in range(document.getNumErrors()))


def worst(path: Path, model: sg.ReactionNetwork, peer: Peer, options: argparse.Namespace) -> str:
    """Return the largest z of a mean between a peer and us, or what the peer says."""
    species = model.species_ids
    request = Request(str(path), species, END, STEPS, TRAJECTORIES, SEED)
    answer = ask(peer, request, python=options.peer_python, limit_s=options.limit)
    if answer.values is None:
        return f"{answer.status}: {answer.message.splitlines()[0][:80] if answer.message else ''}"
    times = np.linspace(0.0, END, STEPS + 1)
    ours = sg.simulate(model, times=times, trajectories=TRAJECTORIES, seed=SEED)
    most = 0.0
    for j, id in enumerate(species):
        theirs = answer.values[:, :, j]
        amounts = ours.values(id, "amount")
        error = np.sqrt((theirs.var(0, ddof=1) + amounts.var(0, ddof=1)) / TRAJECTORIES)
        difference = np.abs(theirs.mean(0) - amounts.mean(0))
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(error > 0.0, difference / error, np.where(difference > 0.0, np.inf, 0.0))
        most = max(most, float(z.max()))
    return f"{most:.2f}" if most < MOST_Z else f"**{most:.2f}**"


def main() -> int:
    """Print a table of all models, forms and peers; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--peers", default="")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds a run")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    peers = available([p for p in options.peers.split(",") if p], options.peer_python)
    heads = [*(f"{p.title}: largest z" for p in peers)]
    lines = [
        " | ".join(["| model | form | new for libSBML", "reads back", *heads]) + " |",
        "|---|---|--:|---|" + "--:|" * len(peers),
    ]
    failed = False
    for source in sorted(options.models.glob("*.xml")):
        model = sg.load(source)
        result = calibrated(model)
        can_run = not any(reaction.reversible for reaction in result.reactions)
        for distrib in (True, False):
            with tempfile.TemporaryDirectory(prefix="write-back-") as folder:
                path, plain = Path(folder) / "written.xml", Path(folder) / "plain.xml"
                sg.save(result, path, distrib=distrib)
                level, version = (3, 2) if distrib else (None, None)
                sg.save(replace(result, provenance=None), plain, level=level, version=version)
                new = findings(path) - findings(plain)
                same = sg.load(path) == result
                cells = [
                    worst(path, result, p, options) if can_run else "reversible" for p in peers
                ]
            failed |= bool(new) or not same or any(cell.startswith("**") for cell in cells)
            form = "distrib" if distrib else "plain"
            row = [source.stem, form, str(sum(new.values())), "yes" if same else "**no**", *cells]
            lines.append(f"| {' | '.join(row)} |")
            print(lines[-1], flush=True)
    if options.out is not None:
        options.out.write_text("\n".join([REPORT, *lines, ""]), encoding="utf-8")
    return int(failed)


REPORT = f"""# Calibrated models in other tools

Written by `validation/write_back.py`: every shipped model with values and uncertainties as a fit
gives them, in both forms. *New for libSBML* counts its findings beyond those of the original at the
same level with the same values. The largest z is over all species and {STEPS + 1} times up to
{END:g}, between {TRAJECTORIES} trajectories of the tool and as many of ours; {MOST_Z} is the limit.
Reversible laws are not sampled: one tool refuses them and another fires them at the net rate.
"""


if __name__ == "__main__":
    sys.exit(main())
