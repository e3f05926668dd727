"""Cost of a firing against the number of reactions, from 10 to 100,000.

Run `python validation/benchmarks/network_size.py --out FOLDER`. Prints a Markdown table; with
`--out` also writes it as `network_size.md` beside the plot `network_size.png`. Rounds are
interleaved and the median of process CPU time counts, on one thread. Loading and compilation are
excluded: the networks are built from their elements, and the first round is dropped.

Every firing changes O(1) propensities. In a ring each reaction is among neighbours, as in space; in
a random network it is among any species, so that nothing a firing needs lies near what the last one
used: that is the worst case for the memory of a processor.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Request, Sample
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.engines.tree.sampling import sample_tree
from sbmlgrad.model.elements import Compartment, Parameter, Reaction, Species
from sbmlgrad.model.expression import Apply, Symbol
from sbmlgrad.model.initial import initial_values

SIZES = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
#: Firings of one measurement with the tree; of the linear kernel as many as take about as long.
FIRINGS = 1_000_000
#: Networks in which the linear kernel would take minutes are left out.
LARGEST_LINEAR = 10_000

Triples = Callable[[int, int], tuple[int, int, int]]


def ring(_pairs: int, species: int) -> Triples:
    """Return which species react in a pair of reactions: neighbours."""
    return lambda pair, _: (pair % species, (pair + 1) % species, (pair + 3) % species)


def random(pairs: int, species: int) -> Triples:
    """Return which species react in a pair of reactions: any three."""
    rng = np.random.default_rng(1)
    chosen = [rng.choice(species, 3, replace=False).tolist() for _ in range(pairs)]
    return lambda pair, _: tuple(chosen[pair])


def network(reactions: int, shape: Callable[[int, int], Triples]) -> sg.ReactionNetwork:
    """Return a network of reversible conversions A <-> B and bindings A + B <-> C.

    Each direction is a reaction of its own with a rate constant of its own. There are half as many
    species as reactions, with 20 molecules each on average.
    """
    species = max(reactions // 2, 4)
    pick = shape(reactions // 2, species)
    rng = np.random.default_rng(reactions)
    found = []
    for pair in range(reactions // 2):
        a, b, c = (f"S{i}" for i in pick(pair, species))
        left, right = ((a, b), (c,)) if pair % 2 else ((a,), (b,))
        found += [
            _reaction(2 * pair, left, right),
            _reaction(2 * pair + 1, right, left),
        ]
    slow = [0.05 if len(r.reactants) == 2 else 1.0 for r in found]
    return sg.ReactionNetwork(
        f"sparse_{reactions}",
        compartments=(Compartment("cell", 1.0),),
        species=tuple(
            Species(f"S{i}", "cell", initial_amount=float(n), only_substance_units=True)
            for i, n in enumerate(rng.integers(10, 31, species))
        ),
        parameters=tuple(
            Parameter(f"k{j}", float(k * rng.uniform(0.5, 2.0))) for j, k in enumerate(slow)
        ),
        reactions=tuple(found),
    )


def _reaction(number: int, left: Sequence[str], right: Sequence[str]) -> Reaction:
    law = Apply("times", (Symbol(f"k{number}"), *(Symbol(s) for s in left)))
    return Reaction(f"J{number}", dict.fromkeys(left, 1.0), dict.fromkeys(right, 1.0), law)


def request_of(model: sg.ReactionNetwork) -> Request:
    """Return a job without end, which the limit of firings stops."""
    lowered, values = lower(model), initial_values(model)
    inputs = np.array([values[i] for i in lowered.input_ids], dtype=np.float64)
    start = np.array([[values[s] for s in lowered.state_ids]], dtype=np.float64)
    return Request(lowered, inputs, start, ValuesAt([1e9]), 1, seed=1)


def with_tree(request: Request, firings: int) -> Sample:
    return sample_tree(request, threads=1, firing_limit=firings)


def with_table(request: Request, firings: int) -> Sample:
    return sg.engines.Native(1, kernel="table", firing_limit=firings).sample(request)


def nanoseconds(kernel: Callable[[Request, int], Sample], request: Request, firings: int) -> float:
    """Return the CPU time of a job over its firings."""
    begin = time.process_time()
    sample = kernel(request, firings)
    seconds = time.process_time() - begin
    assert sample.firings[0] == firings
    return seconds / firings * 1e9


def measure(sizes: Sequence[int], rounds: int) -> dict[str, dict[int, float]]:
    """Return line → reactions → nanoseconds of a firing."""
    requests = {(n, s): request_of(network(n, s)) for n in sizes for s in (ring, random)}
    lines: dict[str, dict[int, list[float]]] = {
        "tree, ring": {},
        "tree, random": {},
        "table, random": {},
    }
    for turn in range(rounds + 1):  # the first round compiles and is dropped
        for line, found in lines.items():
            for n in sizes:
                is_tree = line.startswith("tree")
                if not is_tree and n > LARGEST_LINEAR:
                    continue
                request = requests[n, ring if line.endswith("ring") else random]
                firings = FIRINGS if is_tree else 30 * FIRINGS // (100 + n)
                cost = nanoseconds(with_tree if is_tree else with_table, request, firings)
                if turn:
                    found.setdefault(n, []).append(cost)
    return {
        line: {n: float(np.median(v)) for n, v in found.items()} for line, found in lines.items()
    }


def table(found: dict[str, dict[int, float]], sizes: Sequence[int]) -> str:
    """Return the table as Markdown, each cost also over that of the smallest network."""
    first = sizes[0]
    head = [f"{line} [ns] (times {first})" for line in found]
    rows = ["| reactions | " + " | ".join(head) + " |", "|--:" * (len(found) + 1) + "|"]
    for n in sizes:
        cells = [
            f"{costs[n]:,.0f} ({costs[n] / costs[first]:.1f})" if n in costs else ""
            for costs in found.values()
        ]
        rows.append(f"| {n:,} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def plot(found: dict[str, dict[int, float]], path: Path) -> None:
    """Write the plot, both axes logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for (line, costs), style in zip(found.items(), ("o-", "s-", "^--"), strict=True):
        axes.loglog(list(costs), list(costs.values()), style, label=line, markersize=5)
    axes.set_xlabel("reactions")
    axes.set_ylabel("CPU time of a firing [ns]")
    axes.grid(visible=True, which="major", linewidth=0.5, alpha=0.5)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reactions", help="sizes, separated by commas")
    parser.add_argument("--out", type=Path, help="folder for network_size.md and network_size.png")
    given = parser.parse_args()
    sizes = [int(n) for n in given.reactions.split(",")] if given.reactions else SIZES
    found = measure(sizes, given.rounds)
    text = table(found, sizes)
    print(text)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "network_size.md").write_text(text + "\n", encoding="utf-8")
        plot(found, given.out / "network_size.png")


if __name__ == "__main__":
    main()
