"""Real single-channel records against models that are suited to them, judged on unseen dwells.

Run `python validation/benchmarks/paper/paper_channel_records.py RECORD.csv:DEAD_TIME...
[--out DIR]`. A record is cut into stretches of neighbouring dwells; every other stretch is fitted
and the rest is judged. The models are schemes of open and shut states in which every open state
leads to every shut one and back; they describe the record as it is seen, with its resolution.
With tied shares neighbours know nothing of each other; with free ones they do. Trajectories are
simulated exactly, one firing a dwell, and a statistic of the unseen half is ranked
among those of simulated halves. Exit code 1: no scheme passes all tests on a record.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_channel_scheme import LONGEST, Half, Scheme, fit_scheme, halves, simulate
from paper_records import BLUE, GREEN, ORANGE, PINK, ROOT, SKY, paragraph, table

FloatArray = NDArray[np.float64]

#: Open and shut states of the schemes, and whether the shares are free.
SCHEMES = (
    (1, 1, False),
    (1, 2, False),
    (2, 2, False),
    (2, 3, False),
    (3, 4, False),
    (2, 3, True),
    (3, 4, True),
    (3, 5, True),
)

#: Simulated halves that a statistic is ranked among, and those that stand for the model itself.
REPLICATES, REFERENCE = 699, 50

#: Family-wise error of the tests of a scheme, by Holm's method.
LEVEL = 0.01

#: Shut dwells up to so many ms do not end a burst.
GAP = 3.0

RESULTS = ROOT / "validation" / "results" / "paper"


@dataclass(frozen=True, eq=False)
class Verdict:
    """What became of a scheme.

    Attributes:
        scheme: what was fitted.
        is_free: whether its shares are.
        criterion: Bayesian information criterion on the half that was fitted.
        statistics: name → of the unseen half.
        p_values: name → share of simulated halves that are as far off.
    """

    scheme: Scheme
    is_free: bool
    criterion: float
    statistics: dict[str, float]
    p_values: dict[str, float]

    @property
    def rejected(self) -> tuple[str, ...]:
        """Names of the statistics that disagree, by Holm's method."""
        found: list[str] = []
        ordered = sorted(self.p_values, key=self.p_values.__getitem__)
        for place, name in enumerate(ordered):
            if self.p_values[name] > LEVEL / (len(ordered) - place):
                break
            found.append(name)
        return tuple(found)


def statistics(half: Half, model_opened: FloatArray, model_shut: FloatArray) -> dict[str, float]:
    """Return what is compared; the first two are distances from the model's own dwells."""
    goes_on = np.isfinite(half.following)
    return {
        "open dwells": _distance(half.opened, model_opened),
        "shut dwells": _distance(half.shut, model_shut),
        "share of time open": float(half.opened.sum() / (half.opened.sum() + half.shut.sum())),
        "openings a burst": _per_burst(half),
        "shutting behind": _rank_correlation(half.opened, half.shut),
        "opening behind": _rank_correlation(half.shut[goes_on], half.following[goes_on]),
    }


def _distance(sample: FloatArray, sorted_model: FloatArray) -> float:
    """Return the Kolmogorov-Smirnov distance of a sample from a large sorted one."""
    ordered = np.sort(sample)
    share = np.searchsorted(sorted_model, ordered, side="right") / len(sorted_model)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max(np.abs(steps[1:] - share).max(), np.abs(share - steps[:-1]).max()))


def _per_burst(half: Half) -> float:
    return len(half.shut) / max(int((half.shut > GAP).sum()), 1)


def _rank_correlation(a: FloatArray, b: FloatArray) -> float:
    ranks = np.stack([np.argsort(np.argsort(values)) for values in (a, b)])
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def judge(
    fitted: Half, unseen: Half, states: tuple[int, int], seed: int, *, is_free: bool
) -> Verdict:
    """Fit a scheme to one half and rank the other among simulated ones."""
    scheme = fit_scheme(fitted, states, is_free=is_free)
    made = simulate(scheme, len(unseen.opened), REPLICATES + REFERENCE, seed)
    order = np.random.default_rng(seed).permutation(len(made))
    reference = [made[i] for i in order[:REFERENCE]]
    own = (
        np.sort(np.concatenate([half.opened for half in reference])),
        np.sort(np.concatenate([half.shut for half in reference])),
    )
    seen = statistics(unseen, *own)
    others = [statistics(made[i], *own) for i in order[REFERENCE:]]
    p_values = {}
    for name, value in seen.items():
        drawn = np.array([one[name] for one in others])
        if name.endswith("dwells"):
            p_values[name] = _ranked(drawn, value)
        else:
            centre = np.median(drawn)
            p_values[name] = _ranked(np.abs(drawn - centre), abs(value - centre))
    criterion = scheme.free * np.log(len(fitted.opened)) - 2.0 * scheme.log_likelihood
    return Verdict(scheme, is_free, float(criterion), seen, p_values)


def _ranked(drawn: FloatArray, value: float) -> float:
    return float((1 + (drawn >= value).sum()) / (1 + len(drawn)))


def page(found: dict[str, tuple[Half, Half, list[Verdict]]]) -> str:
    """Return the results as a page."""
    lines = [
        "# Single-channel records against models",
        "",
        *paragraph(
            "Real records, idealised, with their resolution imposed. Every other stretch of at "
            f"most {LONGEST} dwells was fitted, and the others were judged. A scheme has open and "
            "shut states, each open one leading to each shut one and back, with rates such that "
            "dwells beyond the dead time are mixtures of exponentials. It is fitted by maximum "
            "likelihood to pairs of an opening and the shutting behind it, and simulated exactly, "
            "one firing a dwell. Each statistic of the unseen half is ranked "
            f"among those of {REPLICATES} simulated halves of the same size; the p-value is the "
            "share that is as far off. The distance of dwells is that of Kolmogorov and Smirnov "
            f"from {REFERENCE} further halves; a burst ends at a shutting of more than {GAP:g} ms; "
            "the last two columns are rank correlations of an opening with the shutting behind it, "
            "and of a shutting with the opening behind it. With tied shares the next state does "
            "not depend on the last, with free shares it does. "
            f"Bold: rejected at {100 * LEVEL:g} % over all six tests of a scheme (Holm). Written "
            "by `validation/benchmarks/paper/paper_channel_records.py`."
        ),
    ]
    for name, (fitted, unseen, verdicts) in found.items():
        lines += [f"## {name}", ""]
        lines += paragraph(
            f"{len(fitted.opened)} pairs of dwells fitted, {len(unseen.opened)} judged."
        )
        head = ("open and shut states, shares", "parameters", "criterion", *verdicts[0].statistics)
        rows = [(_words(v), str(v.scheme.free), f"{v.criterion:.0f}", *_cells(v)) for v in verdicts]
        lines += [*table(head, rows), ""]
    return "\n".join(lines)


def _words(verdict: Verdict) -> str:
    scheme = verdict.scheme
    shares = "free" if verdict.is_free else "tied"
    return f"{len(scheme.opened)}, {len(scheme.shut)}, {shares}"


def _cells(verdict: Verdict) -> list[str]:
    cells = []
    for name, value in verdict.statistics.items():
        text = f"{value:.3f} (p {verdict.p_values[name]:.3f})"
        cells.append(f"**{text}**" if name in verdict.rejected else text)
    return cells


def plot(found: dict[str, tuple[Half, Half, list[Verdict]]], path: Path) -> None:
    """Draw dwells of the unseen halves and of the schemes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 4.2 * len(found)), layout="constrained")
    grid = figure.subplots(len(found), 2, squeeze=False)
    for row, (name, (_, unseen, verdicts)) in enumerate(found.items()):
        for column, (word, durations) in enumerate(
            (("open", unseen.opened), ("shut", unseen.shut))
        ):
            _histogram(grid[row, column], word, durations, verdicts)
            grid[row, column].set_title(f"{name}: {word} dwells, unseen half")
    figure.savefig(path, dpi=130)


def _histogram(axes: Any, word: str, durations: FloatArray, verdicts: Sequence[Verdict]) -> None:
    edges = np.geomspace(max(durations.min(), 1e-3), durations.max() * 1.01, 45)
    counts, _ = np.histogram(durations, edges)
    axes.stairs(np.sqrt(counts), edges, fill=True, color="0.8", label="record")
    middles = np.sqrt(edges[1:] * edges[:-1])
    drawn: dict[int, tuple[FloatArray, FloatArray]] = {}
    for scheme in (verdict.scheme for verdict in verdicts if not verdict.is_free):
        if word == "open":
            drawn[len(scheme.opened)] = scheme.shares, scheme.opened
        else:
            # With tied shares every open state leads to the shut ones by the same chances.
            drawn[len(scheme.shut)] = scheme.onward[0], scheme.shut
    colours = (ORANGE, PINK, GREEN, BLUE, SKY)
    for colour, (number, (shares, means)) in zip(colours, sorted(drawn.items()), strict=False):
        survive = (shares * np.exp(-edges[:, None] / means)).sum(axis=1)
        expected = -np.diff(survive) * len(durations)
        label = f"{number} state{'s' if number > 1 else ''}"
        axes.plot(middles, np.sqrt(expected), color=colour, linewidth=1.5, label=label)
    axes.set_xscale("log")
    axes.set_xlabel("duration beyond the dead time, ms")
    axes.set_ylabel("√ dwells in a bin")
    axes.legend(fontsize=9)
    axes.grid(alpha=0.3)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("records", nargs="+", help="FILE.csv:DEAD_TIME, the dead time in ms")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    found = {}
    for number, text in enumerate(options.records):
        file, _, dead_time = text.rpartition(":")
        fitted, unseen = halves(Path(file), float(dead_time))
        verdicts = [
            judge(fitted, unseen, (opened, shut), 100 * number + 10 * i, is_free=is_free)
            for i, (opened, shut, is_free) in enumerate(SCHEMES)
        ]
        found[Path(file).stem] = (fitted, unseen, verdicts)
    text = page(found)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "channel_records.md").write_text(text)
    plot(found, options.out / "channel_records.png")
    return int(not all(any(not v.rejected for v in verdicts) for *_, verdicts in found.values()))


if __name__ == "__main__":
    sys.exit(main())
