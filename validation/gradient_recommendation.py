"""Is the recommendation of `check_gradient` right, on the contract set and on networks kept apart?

Run `python validation/gradient_recommendation.py [--only NAME …] [--write FILE]`. Every network is
checked as a user would: default size, the model's own values. What it recommends is then held
against errors that are measured independently: other random streams, twice the trajectories,
and the exact gradient of the master equation. A recommendation is right if the measured error of a
gradient from the intended number of trajectories is within 1.5 times the least of all estimators.

The measured error joins the bias (noise taken off its square) and the noise of that many
trajectories. `FittedValue` errs otherwise in a long run than in short ones together, so that it is
run at the intended size, several times, and the error is the root mean square. Estimators whose
error was more than `HOPELESS` times the least in the check itself cannot be the best, and are not
measured again. The least of several noisy numbers is too small, so that what looks like a miss is
measured once more, on fresh streams and with `AGAIN` times the trajectories and runs, and those
numbers count.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from gradient_bias import EVERY_CASE, engine_for, gradient, title, truth
from small_networks import HEAD, Case

import sbmlgrad as sg
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages

SHIPPED = Path(__file__).resolve().parents[1] / "models" / "sbml"

#: Trajectories of a check, and of the measurement, in batches of `SIZE`.
CHECKED, SIZE, MEASURED = 10_000, 500, 20_000

#: Runs of `FittedValue` at the intended size.
RUNS = 3

#: Error over the least of all, in the check, above which an estimator is not measured again.
HOPELESS = 5.0

#: Error over the least of all up to which a recommendation is right.
RIGHT = 1.5

#: By how much more is measured where a recommendation looks wrong.
AGAIN = 4

SEED = 101

_COMPETITION = """
    substanceOnly species A in cell, B in cell; A = 5; B = 5;
    grow = 1; crowd = 0.05;
    J0: A => 2 A; grow*A;
    J1: B => 2 B; grow*B;
    J2: A => ; crowd*A*(A + B);
    J3: B => ; crowd*B*(A + B);
"""

_SELF_ACTIVATION = """
    substanceOnly species P in cell; P = 8;
    leak = 1; make = 18; K = 10; n = 4; decay = 1;
    J0: => P; leak + make*P^n/(K^n + P^n);
    J1: P => ; decay*P;
"""

_CYCLE = """
    substanceOnly species U in cell, M in cell; U = 30; M = 0;
    V1 = 10; V2 = 8; K1 = 3; K2 = 3;
    J0: U => M; V1*U/(K1 + U);
    J1: M => U; V2*M/(K2 + M);
"""

_BURSTS = """
    substanceOnly species P in cell; P = 0;
    burst = 0.5; decay = 1; inhibit = 10;
    J0: => 8 P; burst/(1 + P/inhibit);
    J1: P => ; decay*P;
"""

_SEQUESTRATION = """
    substanceOnly species A in cell, I in cell; A = 0; I = 0;
    make_A = 10; make_I = 9; bind = 1; decay = 0.5;
    J0: => A; make_A;
    J1: => I; make_I;
    J2: A + I => ; bind*A*I;
    J3: A => ; decay*A;
    J4: I => ; decay*I;
"""

_SATURATED = """
    substanceOnly species S in cell, P in cell; S = 5; P = 0;
    feed = 2; vmax = 3; Km = 4;
    J0: => S; feed;
    J1: S => P; vmax*S/(Km + S);
"""

_CATALYSED = """
    substanceOnly species A in cell, B in cell, E in cell, D in cell; A = 6; B = 5; E = 2; D = 0;
    bind = 0.15; part = 0.4; lose = 0.5; gain = 0.6;
    J0: A + B + E -> D + E; bind*A*B*E;
    J1: D -> A + B; part*D;
    J2: E -> ; lose*E;
    J3: -> E; gain;
"""

_TRIMER = """
    substanceOnly species A in cell, B in cell; A = 7; B = 1;
    join = 0.02; part = 0.7; feed = 1.5; out = 0.2;
    J0: 3 A => B; join*A*(A - 1)*(A - 2);
    J1: B => 3 A; part*B;
    J2: => A; feed;
    J3: A => ; out*A;
"""

_REPRESSED = """
    substanceOnly species G in cell, R in cell, P in cell; G = 1; R = 0; P = 3;
    make = 2.5; decay = 0.4; bind = 0.3; part = 0.8;
    J0: => P; make*G;
    J1: P => ; decay*P;
    J2: G + P => R; bind*G*P;
    J3: R => G + P; part*R;
"""

#: On which no setting of the recommendation was chosen.
APART = (
    Case(
        "birth_death", "X", ValuesAt([5, 20]), ("lambda", "mu"), source=SHIPPED / "birth_death.xml"
    ),
    Case(
        "telegraph",
        "M",
        ValuesAt([10, 30]),
        ("k_on", "k_off", "k_transcription", "k_decay"),
        source=SHIPPED / "telegraph.xml",
    ),
    Case("competition", "A", ValuesAt([3, 10]), ("grow", "crowd"), source=HEAD + _COMPETITION),
    Case(
        "self_activation",
        "P",
        ValuesAt([2, 10]),
        ("leak", "make", "K", "decay"),
        source=HEAD + _SELF_ACTIVATION,
    ),
    Case("cycle", "M", WindowAverages([0, 2, 5]), ("V1", "V2", "K1", "K2"), source=HEAD + _CYCLE),
    Case("bursts", "P", ValuesAt([1, 4]), ("burst", "decay", "inhibit"), source=HEAD + _BURSTS),
    Case(
        "sequestration",
        "A",
        ValuesAt([1, 5]),
        ("make_A", "make_I", "bind", "decay"),
        source=HEAD + _SEQUESTRATION,
    ),
    Case("saturated", "S", ValuesAt([2]), ("feed", "vmax", "Km"), source=HEAD + _SATURATED),
    Case(
        "catalysed",
        "D",
        WindowAverages([0.5, 2]),
        ("bind", "part", "lose", "gain"),
        source=HEAD + _CATALYSED,
    ),
    Case("trimer", "A", ValuesAt([2]), ("join", "part", "feed", "out"), source=HEAD + _TRIMER),
    Case(
        "repressed",
        "P",
        WindowAverages([0.5, 2]),
        ("make", "decay", "bind", "part"),
        source=HEAD + _REPRESSED,
    ),
)


@dataclass(frozen=True)
class Verdict:
    """A recommendation and the errors that were measured.

    Attributes:
        network: as tables call it.
        is_apart: whether it is of `APART`.
        checked: trajectories of the check.
        seconds: CPU time of the check.
        recommended: name of the estimator.
        expected: its relative error, by the check.
        errors: name of an estimator → measured relative error at the intended number.
        is_again: whether the errors of the recommended one and the best are from the second stage.
    """

    network: str
    is_apart: bool
    checked: int
    seconds: float
    recommended: str
    expected: float
    errors: dict[str, float]
    is_again: bool = False

    @property
    def best(self) -> str:
        """Name of the estimator of the least measured error."""
        return min(self.errors, key=lambda name: self.errors[name])

    @property
    def ratio(self) -> float:
        """Measured error of the recommended one over the least."""
        return self.errors[self.recommended] / self.errors[self.best]

    @property
    def is_right(self) -> bool:
        """Whether the recommended one is within `RIGHT` of the best."""
        return self.ratio <= RIGHT


def judge(case: Case, seed: int, checked: int = CHECKED) -> Verdict:
    """Check a network, and measure its estimators again.

    Args:
        case: network, readout and parameters.
        seed: of the check; the measurement has the next one.
        checked: trajectories of the check. The gradient is always meant to be used with `CHECKED`.
    """
    begin = time.process_time()
    check = sg.check_gradient(
        case.network(),
        case.readout,
        of=case.species,
        free=case.parameters,
        trajectories=checked,
        intended=CHECKED,
        seed=seed,
    )
    seconds = time.process_time() - begin
    exact = truth(case)
    least = min(one.error for one in check.ranking)
    errors = {
        one.row.name: measured_error(case, exact, one.row.estimator, seed + 1)
        for one in check.ranking
        if one.error <= HOPELESS * least or one is check.ranking[0]
    }
    top = check.ranking[0].row
    first = Verdict(
        network=title(case),
        is_apart=case in APART,
        checked=checked,
        seconds=seconds,
        recommended=top.name,
        expected=check.ranking[0].error,
        errors=errors,
    )
    if first.is_right:
        return first
    rival = next(one.row for one in check.ranking if one.row.name == first.best)
    again = {
        row.name: measured_error(case, exact, row.estimator, seed + 2, AGAIN)
        for row in (top, rival)
    }
    return replace(first, errors=errors | again, is_again=True)


def measured_error(
    case: Case, exact: np.ndarray, estimator: Any, seed: int, times: int = 1
) -> float:
    """Return the relative error of a gradient from `CHECKED` trajectories.

    Args:
        case: network, readout and parameters.
        exact: gradient in logarithms of the parameters [parameter, point].
        estimator: what to measure.
        seed: of the random streams.
        times: by how much more is measured than usually.
    """
    engine, points = engine_for(case), exact.shape[1]
    norm = float(np.linalg.norm(exact))
    if isinstance(estimator, sg.gradients.FittedValue):
        runs = [
            gradient(case, points, estimator, CHECKED, seed, CHECKED * i, engine)
            for i in range(times * RUNS)
        ]
        return math.sqrt(float(np.mean([np.sum((g - exact) ** 2) for g in runs]))) / norm
    count = times * MEASURED // SIZE
    rows = np.array(
        [gradient(case, points, estimator, SIZE, seed, SIZE * i, engine) for i in range(count)]
    )
    variance = float(np.sum(rows.var(axis=0, ddof=1)))
    squared_bias = float(np.sum((rows.mean(axis=0) - exact) ** 2)) - variance / count
    return math.sqrt(max(squared_bias, 0.0) + variance * SIZE / CHECKED) / norm


def report(verdicts: Sequence[Verdict], left: Sequence[str]) -> str:
    """Return the verdicts as Markdown, and the titles of what is left."""
    right = sum(v.is_right for v in verdicts)
    lines = [
        "# Is the recommendation of `check_gradient` right?",
        "",
        f"{right} of {len(verdicts)} recommendations name an estimator whose measured error is "
        f"within {RIGHT:g} times the least. Where marked *, the two are from the second stage.",
        "",
        "| network | trajectories of the check | CPU s | recommended | its error, by the check | "
        "measured | best, as measured | its error | ratio | |",
        "|---|--:|--:|---|--:|--:|---|--:|--:|---|",
        *map(line, verdicts),
        "",
        f"Measured errors, of all that the check put within {HOPELESS:g} times the least:",
        "",
    ]
    for one in verdicts:
        found = sorted(one.errors.items(), key=lambda item: item[1])
        said = ", ".join(f"`{name}` {100 * error:.2g} %" for name, error in found)
        lines.append(f"- {one.network}: {said}")
    if left:
        lines += ["", f"Not run yet: {'; '.join(left)}."]
    return "\n".join(lines) + "\n"


def line(one: Verdict) -> str:
    """Return the row of one network."""
    return (
        f"| {one.network}{' (apart)' if one.is_apart else ''} | {one.checked:,} | "
        f"{one.seconds:.0f} | `{one.recommended}` | {100 * one.expected:.2g} % | "
        f"{100 * one.errors[one.recommended]:.2g} % | `{one.best}` | "
        f"{100 * one.errors[one.best]:.2g} % | {one.ratio:.2f}{' *' if one.is_again else ''} | "
        f"{'right' if one.is_right else '**missed**'} |"
    )


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    cases = (*EVERY_CASE, *APART)
    names = list(dict.fromkeys(case.name for case in cases))
    parser.add_argument("--only", nargs="+", choices=names, help="networks; all if not given")
    parser.add_argument("--trajectories", type=int, default=CHECKED, help="of a check")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--records",
        type=Path,
        default=Path("recommendations.jsonl"),
        help="what is in this file is not run again, and what is run is added",
    )
    parser.add_argument("--write", type=Path, help="also write the report into this file")
    given = parser.parse_args()
    chosen = [case for case in cases if case.name in (given.only or names)]
    records = given.records.read_text(encoding="utf-8") if given.records.exists() else ""
    found = {v.network: v for v in (Verdict(**json.loads(one)) for one in records.splitlines())}
    for case in chosen:
        if title(case) not in found:
            verdict = judge(case, given.seed, given.trajectories)
            found[verdict.network] = verdict
            with given.records.open("a", encoding="utf-8") as file:
                file.write(json.dumps(vars(verdict)) + "\n")
        print(line(found[title(case)]), flush=True)
    titles = [title(case) for case in cases]
    text = report([found[t] for t in titles if t in found], [t for t in titles if t not in found])
    print(text)
    if given.write:
        given.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
