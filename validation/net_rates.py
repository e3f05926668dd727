"""A law that is a difference, marked reversible or not: who fires both directions?

Run `python net_rates.py --peers roadrunner,copasi,gillespy2 --peer-python PATH`. A and B exchange
with the law A - B, 120 molecules in all. In the long run each molecule is on either side with
probability 1/2, so that A has mean 60 and variance 30. A simulator that fires at the net rate keeps
the mean and loses the variance.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from dsmts import available
from peers.protocol import ask
from peers.worker import Request

import sbmlgrad as sg

END, TRAJECTORIES, STEPS = 5.0, 400, 10

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="exchange">
<listOfUnitDefinitions><unitDefinition id="substance"><listOfUnits><unit kind="item"/></listOfUnits>
</unitDefinition></listOfUnitDefinitions>
<listOfCompartments><compartment id="c" size="1"/></listOfCompartments>
<listOfSpecies>
<species id="A" compartment="c" initialAmount="100" hasOnlySubstanceUnits="true"/>
<species id="B" compartment="c" initialAmount="20" hasOnlySubstanceUnits="true"/>
</listOfSpecies>
<listOfReactions><reaction id="R" reversible="{reversible}">
<listOfReactants><speciesReference species="A"/></listOfReactants>
<listOfProducts><speciesReference species="B"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><minus/><ci>A</ci><ci>B</ci></apply></math></kineticLaw>
</reaction></listOfReactions></model></sbml>"""


def main() -> int:
    """Print mean and variance of A at the end, for every simulator."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default="")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a run")
    options = parser.parse_args()
    peers = available([p for p in options.peers.split(",") if p], options.peer_python)
    print("| simulator | marked | mean of A (60) | variance of A (30) |\n|---|---|--:|--:|")
    for marked in ("reversible", "irreversible"):
        text = DOCUMENT.format(reversible=str(marked == "reversible").lower())
        sample = sg.simulate(sg.load(text), times=[END], trajectories=TRAJECTORIES, seed=1)
        print(_row("sbmlgrad", marked, sample.values("A")[:, 0]))
        with tempfile.TemporaryDirectory(prefix="net-rates-") as folder:
            path = Path(folder) / "exchange.xml"
            path.write_text(text, encoding="utf-8")
            request = Request(str(path), ("A",), END, STEPS, TRAJECTORIES, 1)
            for peer in peers:
                answer = ask(peer, request, python=options.peer_python, limit_s=options.limit)
                if answer.values is None:
                    print(f"| {peer.title} | {marked} | {answer.status} | |")
                else:
                    print(_row(peer.title, marked, answer.values[:, -1, 0]))
    return 0


def _row(name: str, marked: str, values: np.ndarray) -> str:
    return f"| {name} | {marked} | {values.mean():.2f} | {values.var():.2f} |"


if __name__ == "__main__":
    sys.exit(main())
