"""Do all engines sample the distributions of the master equation? Chi-square at late times.

Run `python validation/stationary.py [--trajectories N] [--out FILE]`. Birth-death, telegraph gene
expression (gene and mRNA jointly) and a bistable Schlögl voxel, each with every engine and kernel
that can run here, against the solution of the master equation on finitely many states at the same
time; for birth-death also against its closed form. `--plant 1.02` makes one rate of what is
simulated 2 % too fast, which every row at full size must find. Exit code 1: a distribution is
wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from stationary_networks import CASES, TOLERANCE, Case, Truth, truth
from stream_quality.checks import FAMILY_WISE_ERROR, chi_square, pooled
from stream_quality.engines import CANDIDATES

import sbmlgrad as sg
from sbmlgrad.engines.base import Engine
from sbmlgrad.engines.cuda.engine import Cuda
from sbmlgrad.engines.tensorflow.engine import TensorFlow

#: Engines that are no machine code get one in so many of the trajectories.
REFERENCE_PART, TENSORFLOW_PART = 500, 20


@dataclass(frozen=True)
class Contender:
    """An engine and its part of the trajectories.

    Attributes:
        engine: the engine.
        part: it gets one in so many of the trajectories.
    """

    engine: Engine
    part: int = 1


@dataclass(frozen=True)
class Result:
    """One distribution beside the truth.

    Attributes:
        case: name of the network.
        engine: what sampled it.
        trajectories: how many.
        firings: of a trajectory on average.
        chi_square: Pearson's statistic and its degrees of freedom, in words.
        p: chance of a value at least as far from what is expected, either way.
        cells: number of cells.
        worst: largest |z| of a cell.
        worst_p: chance that any cell is as far out, by the exact binomial law (Boole).
    """

    case: str
    engine: str
    trajectories: int
    firings: float
    chi_square: str
    p: float
    cells: int
    worst: float
    worst_p: float

    @property
    def least(self) -> float:
        """The smaller p-value."""
        return min(self.p, self.worst_p)


def contenders(only: str = "") -> tuple[list[Contender], list[str]]:
    """Return the engines that can run here, and why others are left out.

    Args:
        only: a part of the names of those to take.
    """
    builders: list[tuple[Callable[[], Engine], int]] = [
        (partial(sg.engines.Native, threads=1, kernel=kernel, dtype=dtype), 1)
        for kernel, dtype in CANDIDATES
    ]
    builders += [
        (Cuda, 1),
        (partial(TensorFlow, jit_compile=True), TENSORFLOW_PART),
        (sg.engines.Reference, REFERENCE_PART),
    ]
    found, left_out = [], []
    model = CASES[0].model
    for build, part in builders:
        try:
            engine = build()
            if only not in engine.name:
                continue
            sg.simulate(model, times=[0.1], trajectories=1, seed=1, engine=engine)
        except sg.SbmlGradError as error:
            left_out.append(str(error))
        else:
            found.append(Contender(engine, part))
    return found, left_out


def histogram(counts: NDArray[np.int64], states: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count how often each state occurs, int64 [state + 1]; the last is for all others.

    Args:
        counts: [trajectory, species].
        states: [state, species], each once.
    """
    base = int(max(counts.max(initial=0), states.max(initial=0))) + 1
    weights = base ** np.arange(states.shape[1], dtype=np.int64)
    keys = states @ weights
    order = np.argsort(keys)
    found, numbers = np.unique(counts @ weights, return_counts=True)
    place = np.minimum(np.searchsorted(keys[order], found), len(keys) - 1)
    known = keys[order][place] == found
    result = np.zeros(len(keys) + 1, dtype=np.int64)
    result[order[place[known]]] = numbers[known]
    result[-1] = numbers[~known].sum()
    return result


def judge(
    observed: NDArray[np.int64], probability: NDArray[np.float64]
) -> tuple[str, float, int, float, float]:
    """Compare counts with a distribution.

    Args:
        observed: [state + 1], the last for what lies outside of all states.
        probability: [state]; what is missing to 1 lies outside.

    Returns:
        Chi-square in words, its p, number of cells, largest |z| of a cell, its p.
    """
    n = int(observed.sum())
    whole = np.append(probability, max(1.0 - probability.sum(), 0.0))
    counts, share = pooled(observed, whole / whole.sum(), n)
    check = chi_square("distribution", counts, share)
    z = (counts - n * share) / np.sqrt(n * share * (1.0 - share))
    one = np.minimum(stats.binom.sf(counts - 1, n, share), stats.binom.cdf(counts, n, share))
    worst_p = min(1.0, 2.0 * float(one.min()) * len(counts))
    return check.statistic, check.p, len(counts), float(np.abs(z).max()), worst_p


def measure(
    case: Case, exact: Truth, contender: Contender, trajectories: int, seed: int, plant: float
) -> Result:
    """Sample a case with an engine and compare the states at its time.

    Args:
        case: the case.
        exact: its truth.
        contender: the engine.
        trajectories: of an engine that takes all.
        seed: of the streams.
        plant: factor on one rate of what is simulated; 1 for none.
    """
    model = case.model
    rate = dict(zip(model.parameter_ids, model.parameter_values.tolist(), strict=True))[case.rate]
    n = max(trajectories // contender.part, 1)
    cells = sg.simulate(
        model,
        {case.rate: plant * rate},
        times=[case.time],
        trajectories=n,
        seed=seed,
        engine=contender.engine,
    )
    found = judge(histogram(cells.counts[:, 0], exact.states), exact.probability)
    firings = float(np.mean(cells.firings))
    return Result(case.name, contender.engine.name, n, firings, *found)


def closed_form(case: Case) -> float:
    """Return the largest difference between the projection and Poisson, for birth-death from 0."""
    exact = truth(case)
    values = dict(zip(case.model.parameter_ids, case.model.parameter_values, strict=True))
    mean = values["birth"] / values["death"] * -np.expm1(-values["death"] * case.time)
    poisson = stats.poisson.pmf(exact.states[:, 0], mean)
    return float(np.abs(exact.probability - poisson).max())


def bound(results: Sequence[Result]) -> float:
    """Return the p-value below which a result is wrong; every result has two (Boole)."""
    return FAMILY_WISE_ERROR / max(2 * len(results), 1)


def report(results: Sequence[Result], left_out: Sequence[str], options: argparse.Namespace) -> str:
    """Return the report as Markdown."""
    limit = bound(results)
    lines = [
        "# Stationary distributions: engines against the master equation",
        "",
        f"{options.trajectories:,} trajectories, seeds from {options.seed} on, one for every row; "
        f"cells of at least 10 expected counts. A p-value below {limit:.1e} is a failure, so that "
        f"right engines fail anywhere with probability at most {FAMILY_WISE_ERROR:g}.",
    ]
    if options.plant != 1.0:
        lines += ["", f"With a planted fault: one rate times {options.plant:g}."]
    lines += [
        "",
        "| network | time | states | total variation to twice the time |",
        "|---|--:|--:|--:|",
    ]
    for case in CASES:
        exact = truth(case)
        size = int((exact.probability > 0.0).sum())
        lines.append(f"| {case.name} | {case.time:g} | {size} | {exact.distance:.1e} |")
    lines += [
        "",
        "The truth is the solution of the master equation at that very time, with at most "
        f"{TOLERANCE:g} of probability left out; for birth-death it differs from the closed form "
        f"by at most {closed_form(CASES[0]):.0e}.",
        "",
        "| network | engine | n | firings each | χ² | p | cells | largest cell \\|z\\| (p) | "
        "verdict |",
        "|---|---|--:|--:|---|--:|--:|--:|---|",
    ]
    for r in results:
        verdict = "passed" if r.least >= limit else "**FAILED**"
        lines.append(
            f"| {r.case} | `{r.engine}` | {r.trajectories:,} | {r.firings:.0f} | {r.chi_square} | "
            f"{r.p:.2g} | {r.cells} | {r.worst:.2f} ({r.worst_p:.2g}) | {verdict} |"
        )
    if left_out:
        lines += ["", "Left out, since they refuse here:", "", *(f"- {why}" for why in left_out)]
    return "\n".join(lines) + "\n"


def arguments(words: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=lambda n: int(float(n)), default=10**6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", type=float, default=1.0, help="factor on one rate")
    parser.add_argument("--only", default="", help="part of the names of the engines to take")
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Run the campaign.

    Args:
        words: the command line; None takes that of the process.
    """
    options = arguments(words)
    found, left_out = contenders(options.only)
    results = []
    seed = options.seed
    for case in CASES:
        exact = truth(case)
        for contender in found:
            # Seeds of their own, since most engines have the same trajectories for the same seed.
            result = measure(case, exact, contender, options.trajectories, seed, options.plant)
            seed += 1
            print(result, file=sys.stderr, flush=True)
            results.append(result)
    text = report(results, left_out, options)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return int(any(r.least < bound(results) for r in results))


if __name__ == "__main__":
    sys.exit(main())
