"""A published epidemic fitted by exact simulation, beside the fit by the rate equations.

Run `python validation/petab_fits_stochastic.py [--problems DIR] [--repeats N] [--records DIR]
[--out FILE]`. Bertozzi et al. (2020, PNAS 117, 16732): an epidemic in two states, from the same
PEtab files as `petab_fits.py`. The objective is `MeanTrajectory`: the mean of an exact ensemble,
with the noise of the file, whose sd is fitted too. Every repeat starts elsewhere, with other random
numbers, and is made small by Fisher scoring; repeats are kept, one line each. Exit code 1: the
optimum differs from that of the rate equations by more than Monte-Carlo errors explain.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from petab_fits import PROBLEMS, problem_file

import sbmlgrad as sg
from sbmlgrad.fit.objectives.base import standard_error
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.rate_equations.bounded_scoring import minimise
from sbmlgrad.fit.rate_equations.least_squares import fit_rate_equations
from sbmlgrad.fit.rate_equations.likelihood import negative_log_likelihood
from sbmlgrad.fit.search_space import as_mapping, search_space
from sbmlgrad.fit.uncertainty.fitted import Fitted
from sbmlgrad.fit.uncertainty.scoring import score
from sbmlgrad.fit.uncertainty.sensitivity import information, local, weights
from sbmlgrad.io.petab import load_petab
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

NAME = "Bertozzi_PNAS2020"

#: Trajectories of each experiment and side of a difference, the same in all steps of a fit; steps
#: at the most; trajectories of the final evaluation, which are others.
SAMPLE, MOST_STEPS, EVALUATION = 25, 12, 300

#: Largest factor between a start and the optimum of the rate equations.
AWAY = 1.2


@dataclass(frozen=True)
class Repeat:
    """One fit by exact simulation.

    Attributes:
        number: the seed of its start and its random numbers.
        values: fitted, [free].
        objective: negative log-likelihood of the ensemble's means there, fresh random numbers.
        error: Monte-Carlo standard error of it.
        by_rates: that of the rate equations at the same values.
        seconds: wall time.
    """

    number: int
    values: tuple[float, ...]
    objective: float
    error: float
    by_rates: float
    seconds: float


def stochastic_problem(path: Path) -> Problem:
    """Load the problem so that exact simulation takes it.

    Counts are molecules; a start between two whole numbers is one of them at random, right on
    average. `beta_N`, which an initial assignment computes from fitted parameters, becomes a rule
    with the same formula: its parameters do not change in time.
    """
    problem = load_petab(path, substance="item", initial="randomised")
    network = problem.network
    kept = dict(network.initial_assignments)
    rule = {"beta_N": kept.pop("beta_N")}
    return dataclasses.replace(
        problem,
        network=dataclasses.replace(
            network,
            initial_assignments=kept,
            assignment_rules={**network.assignment_rules, **rule},
        ),
    )


def exact_likelihood(
    problem: Problem, values: FloatArray, trajectories: int, seed: int
) -> tuple[float, float]:
    """Return the negative log-likelihood of an exact ensemble's means and its standard error."""
    fitted = _fitted(problem, seed)
    simulated = fitted.simulator()(values, trajectories, 0)
    half = 0.5 * len(problem.measurements)
    loss = half * float(fitted.objective.loss(problem, simulated))
    return loss, half * float(standard_error(fitted.objective, problem, simulated))


def _fitted(problem: Problem, seed: int) -> Fitted:
    space = search_space(problem)
    estimator, engine = sg.gradients.FiniteDifference(), sg.engines.Native()
    return Fitted(problem, space, space.start, MeanTrajectory(), estimator, engine, seed)


def repeat(problem: Problem, optimum: Mapping[str, float], number: int) -> Repeat:
    """Fit from a start of its own."""
    begun = time.monotonic()
    rng = np.random.default_rng([number, 2020])
    space = search_space(problem)
    best = np.array([optimum[id] for id in space.ids])
    away = rng.uniform(-math.log(AWAY), math.log(AWAY), len(best))
    start = space.within(space.coordinates(best * np.exp(away)))
    seed = int(rng.integers(2**31))
    one = _fitted(problem, seed)
    simulator = one.simulator()

    def value(z: FloatArray) -> float:
        return exact_likelihood(problem, space.values(z), SAMPLE, seed)[0]

    def slopes(z: FloatArray) -> tuple[FloatArray, FloatArray]:
        at = local(simulator, z, SAMPLE, 0)
        return -score(simulator, at), information(at.slopes, weights(simulator, at))

    ends = space.coordinates(space.lower), space.coordinates(space.upper)
    reached, _ = minimise(value, slopes, start, *ends, MOST_STEPS)
    values = space.values(reached)
    found, error = exact_likelihood(problem, values, EVALUATION, seed + 1)
    return Repeat(
        number,
        tuple(values.tolist()),
        found,
        error,
        negative_log_likelihood(problem, as_mapping(space, values)),
        time.monotonic() - begun,
    )


def kept(file: Path) -> list[Repeat]:
    """Return the repeats that were done before."""
    if not file.exists():
        return []
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return [Repeat(**{**row, "values": tuple(row["values"])}) for row in rows]


def summary(
    problem: Problem, optimum: Mapping[str, float], least: float, repeats: Sequence[Repeat]
) -> tuple[str, bool]:
    """Return the results as a section of a page, and whether they agree."""
    ids = search_space(problem).ids
    found = np.array([one.values for one in repeats])
    objective = np.array([one.objective for one in repeats])
    noise = np.array([one.error for one in repeats])
    rates = np.array([one.by_rates for one in repeats])
    above, gaps = rates - least, objective - rates
    count = math.sqrt(len(repeats))
    z_gap = gaps.mean() / (gaps.std(ddof=1) / count)
    lines = [
        "## An epidemic by exact simulation",
        "",
        f"`{NAME}` from the same files: {len(repeats)} fits of the means of exact ensembles",
        f"(`MeanTrajectory`, Fisher scoring by differences, {SAMPLE} trajectories a state and side",
        "with the same random numbers in all steps), each from a start off by up to a factor",
        f"{AWAY:g} in every parameter, with random numbers of its own. Written by",
        "`validation/petab_fits_stochastic.py`.",
        "",
        "| | negative log-likelihood |",
        "|---|---|",
        f"| optimum of the rate equations | {least:.4f} |",
        f"| exact ensembles where their fits ended, mean of {len(repeats)} "
        f"| {objective.mean():.4f} ± {objective.std(ddof=1) / count:.4f} |",
        f"| Monte-Carlo error of one of these ({EVALUATION} trajectories) | {noise.mean():.4f} |",
        f"| rate equations at the same values, above their optimum, mean | {above.mean():.4f} |",
        f"| exact ensembles less rate equations at the same values | {gaps.mean():+.4f} "
        f"± {gaps.std(ddof=1) / count:.4f}, z = {z_gap:+.2f} |",
        "",
        "| parameter | rate equations | exact, mean of the fits | z of the difference |",
        "|---|---|---|---|",
    ]
    worst = 0.0
    for place, id in enumerate(ids):
        error = found[:, place].std(ddof=1) / count
        gap = found[:, place].mean() - optimum[id]
        z = gap / error if error > 0.0 else 0.0
        worst = max(worst, abs(z))
        lines.append(
            f"| {id} | {optimum[id]:.5g} | {found[:, place].mean():.5g} ± {error:.2g} | {z:+.2f} |"
        )
    seconds = np.median([one.seconds for one in repeats])
    lines += [
        "",
        "At the same values the objectives should differ by little: the mean of an epidemic of",
        "thousands in a population of millions follows the rate equations, and the expected",
        "objective of an ensemble is larger by half the variance of its means in units of the",
        "noise (of order one over the number of trajectories, not subtracted). A fit of an",
        f"ensemble fits the noise of its {SAMPLE} trajectories too, so that by the rate equations",
        "it ends above their optimum. R0 and gamma of a state are hardly told apart by eleven days",
        f"of growth, hence their errors. Median time of a fit: {seconds:.0f} s.",
        "",
    ]
    # t quantile of a chance of one in a thousand over all rows.
    from scipy import stats

    limit = float(stats.t.ppf(1.0 - 0.0005 / (len(ids) + 1), len(repeats) - 1))
    return "\n".join(lines), max(worst, abs(z_gap)) <= limit


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--problems", type=Path, default=PROBLEMS)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--records", type=Path, default=Path("petab_records"))
    parser.add_argument("--out", type=Path, help="page to which the section is appended")
    options = parser.parse_args(arguments)
    options.records.mkdir(parents=True, exist_ok=True)
    path = problem_file(options.problems / NAME)
    problem = stochastic_problem(path)
    plain = load_petab(path)
    space = search_space(plain)
    descent = fit_rate_equations(plain, space.start[None, :]).descents[0]
    optimum = dict(as_mapping(space, descent.values))
    file = options.records / f"{NAME}_exact.jsonl"
    for number in range(len(kept(file)), options.repeats):
        record = repeat(problem, optimum, number)
        with file.open("a") as stream:
            stream.write(json.dumps(asdict(record)) + "\n")
        print(record, flush=True)
    text, is_fine = summary(problem, optimum, descent.negative_log_likelihood, kept(file))
    print(text)
    if options.out is not None:
        before = options.out.read_text() if options.out.exists() else ""
        options.out.write_text(f"{before.rstrip()}\n\n{text}" if before else text)
    return int(not is_fine)


if __name__ == "__main__":
    sys.exit(main())
