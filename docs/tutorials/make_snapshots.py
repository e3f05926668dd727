"""Remakes the tutorial `snapshots.md`: fit, tables, figures, calibrated model.

Run `python docs/tutorials/make_snapshots.py CELLS`, with the cells as a CSV file (columns time in
minutes and rna, one row a cell). It prints the numbers of the page, and writes the calibrated model
to `--out` and the figures to `docs/figures/`. `--starts N` looks for the optimum from N places by
SciPy alone, and takes some minutes for each. With `--peer-python` the model is opened in other
tools as well.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import stl1_reference
from numpy.typing import NDArray
from other_tools import errors, worst

import sbmlgrad as sg
from sbmlgrad.cme import project
from sbmlgrad.fit.objectives import StateSpaceLikelihood
from sbmlgrad.model.snapshots import Snapshots

FloatArray = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "sbml" / "osmotic_shock.xml"
FIGURES = ROOT / "docs" / "figures"

#: The model begins so many minutes before the shock.
BEFORE = 1.0
#: Share of the cells that is left unexplained.
BACKGROUND = 1e-3
#: Fitted; `k_begin` only has to be fast.
FREE = (
    "k_leak",
    "k_wait",
    "k_on",
    "k_off",
    "k_adapt",
    "k_on_late",
    "k_transcription",
    "k_decay",
)
#: mRNA up to which the generator of the reference reaches, and where many of them are needed.
LIMIT, SEARCH_LIMIT = 260, 170
BIN = 5


@dataclass(frozen=True, eq=False)
class Comparison:
    """Cells and model at the times of the cells.

    Attributes:
        times: since the shock, float64 [time].
        numbers: cells with each count, float64 [time, count].
        model: probability of each count, float64 [time, count].
    """

    times: FloatArray
    numbers: FloatArray
    model: FloatArray

    @property
    def cells(self) -> FloatArray:
        """Cells of each time, float64 [time]."""
        return self.numbers.sum(axis=1)

    @property
    def shares(self) -> FloatArray:
        """Shares of the cells with each count, float64 [time, count]."""
        return self.numbers / self.cells[:, None]

    def means(self, shares: FloatArray) -> FloatArray:
        """Return the mean counts of distributions [time, count], float64 [time]."""
        return shares @ np.arange(shares.shape[1])


def shifted(cells: Snapshots) -> Snapshots:
    """Return the cells on the clock of the model."""
    return replace(cells, time=cells.time + BEFORE)


def calibrate(cells: Snapshots, objective: StateSpaceLikelihood) -> sg.FitResult:
    """Fit the model to cells on its clock, and say how certain the rates are."""
    model = sg.load(MODEL)
    names = {cells.species[0]: "M"}
    # The likelihood is exact: trajectories serve the curves of the result alone.
    result = sg.fit(
        model, cells, free=list(FREE), mapping=names, objective=objective, seed=1, trajectories=200
    )
    return sg.with_uncertainty(result, sg.uncertainty(result, level=0.95, objective=objective))


def for_reference(cells: Snapshots, limit: int = LIMIT) -> stl1_reference.Cells:
    """Return cells on the clock of the model as the reference takes them."""
    most = int(cells.counts.max())
    numbers = [np.bincount(cells.at(t)[:, 0], minlength=most + 1) for t in cells.times.tolist()]
    return stl1_reference.Cells(cells.times, np.array(numbers, np.float64), BACKGROUND, limit)


def compared(result: sg.FitResult, cells: Snapshots) -> Comparison:
    """Return cells on the clock of the model beside the calibrated model, background included."""
    numbers = for_reference(cells).numbers
    found = project(result.model, until=float(cells.times[-1]))
    states = found.distributions(cells.times)
    counts = found.space.states[:, found.lowered.species_ids.index("M")].astype(np.int64)
    size = max(int(counts.max()) + 1, numbers.shape[1])
    model = np.zeros((len(numbers), size))
    for own, row in zip(model, states, strict=True):
        own += (1.0 - BACKGROUND) * np.bincount(counts, row, minlength=size)
    model[:, : numbers.shape[1]] += BACKGROUND / numbers.shape[1]
    padded = np.zeros((len(numbers), size))
    padded[:, : numbers.shape[1]] = numbers
    return Comparison(cells.times - BEFORE, padded, model)


def report(result: sg.FitResult, cells: Snapshots, objective: StateSpaceLikelihood) -> None:
    """Print the fit, its intervals, and how far it is from the cells."""
    values = np.array([result.values[id] for id in FREE])
    likelihood = objective.log_likelihood(result.problem, values)
    reference = for_reference(cells)
    rates = _rates(result.model)
    found = result.uncertainty
    assert found is not None
    other = float(stl1_reference.log_likelihoods([rates], reference)[0])
    frequencies = reference.numbers / reference.numbers.sum(axis=1, keepdims=True)
    seen = reference.numbers > 0
    best = float((reference.numbers[seen] * np.log(frequencies[seen])).sum())
    robust = stl1_reference.robust_errors(rates, FREE, reference, found.covariance)
    print(result)
    print(found)
    print(
        f"{len(cells)} cells; log-likelihood {likelihood:.3f}, at these rates by expm {other:.3f}"
    )
    print(f"of the frequencies themselves {best:.1f}: {best - likelihood:.1f} above the model")
    print("rate, value, 95 % interval, standard error and robust one (relative)")
    for place, id in enumerate(FREE):
        low, high = found.interval(id)
        error = np.sqrt(found.covariance[place, place])
        print(
            f"  {id:15s} {result.values[id]:9.4f} /min, {low:.4f} to {high:.4f}; "
            f"{100 * error:.1f} %, {100 * robust[place]:.1f} %"
        )
    apart_at(compared(result, cells))


def apart_at(found: Comparison) -> None:
    """Print how far model and cells are from each other at every time."""
    print("time, cells; mean of cells and model; share without mRNA; largest difference of")
    print("cumulative shares, and what chance gives in 5 % of samples of a continuous law")
    data, model = found.means(found.shares), found.means(found.model)
    apart = np.abs(np.cumsum(found.shares - found.model, axis=1)).max(axis=1)
    for i, time in enumerate(found.times):
        print(
            f"  {time:4.0f} {found.cells[i]:5.0f}; {data[i]:6.2f} {model[i]:6.2f}; "
            f"{found.shares[i, 0]:.3f} {found.model[i, 0]:.3f}; "
            f"{apart[i]:.3f} {1.36 / np.sqrt(found.cells[i]):.3f}"
        )


def search(result: sg.FitResult, cells: Snapshots, starts: int) -> None:
    """Print the optima that SciPy finds alone: from the model's own rates, and from others."""
    model, most, least = sg.load(MODEL), for_reference(cells), for_reference(cells, SEARCH_LIMIT)
    own = _rates(model)
    fixed = {id: rate for id, rate in own.items() if id not in FREE}
    rng = np.random.default_rng(5)
    for number in range(starts):
        factors = np.ones(len(FREE)) if number == 0 else np.exp(rng.uniform(-0.7, 0.7, len(FREE)))
        start = {id: own[id] * factor for id, factor in zip(FREE, factors.tolist(), strict=True)}
        near, _ = stl1_reference.optimum(start, fixed, least)
        rates, value = stl1_reference.optimum(near, fixed, most)
        apart = max(abs(rates[id] / result.values[id] - 1.0) for id in FREE)
        print(f"SciPy, start {number}: log-likelihood {value:.3f}, rates {100 * apart:.2f} % apart")
        print("  " + ", ".join(f"{id} {rate:.5g}" for id, rate in rates.items()), flush=True)


def _rates(model: sg.ReactionNetwork) -> dict[str, float]:
    return dict(zip(model.parameter_ids, model.parameter_values.tolist(), strict=True))


def draw_distributions(found: Comparison, path: Path) -> None:
    """Draw the distribution over cells and that of the model at every time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 7.6), layout="constrained")
    FigureCanvasAgg(figure)
    rows = -(-len(found.times) // 4)
    panels = figure.subplots(rows, 4, sharex=True, sharey=True).ravel()
    last = 100
    edges = np.arange(0, last + BIN, BIN)
    for i, ax in enumerate(panels):
        if i >= len(found.times):
            ax.axis("off")
            continue
        shares = np.add.reduceat(found.shares[i], edges[:-1])[:-1], edges[:-1]
        model = np.add.reduceat(found.model[i], edges[:-1])[:-1]
        ax.stairs(shares[0], edges[:-1], fill=True, color="#BBBBBB", label="cells")
        ax.stairs(model, edges[:-1], color="#0072B2", linewidth=1.6, label="model")
        ax.set_title(f"{found.times[i]:g} min, {found.cells[i]:.0f} cells", fontsize=9)
        ax.set_yscale("function", functions=(_root, np.square))
        ax.set_ylim(0.0, 1.0)
        ax.set_yticks([0.01, 0.1, 0.3, 0.6, 1.0])
        ax.set_xlim(0, edges[-2])
    panels[0].legend(frameon=False, fontsize=9)
    figure.supxlabel(f"mRNA in a cell, in bins of {BIN}")
    figure.supylabel("share of the cells (square-root scale)")
    figure.savefig(path, dpi=150)


def draw_course(found: Comparison, path: Path) -> None:
    """Draw means and shares of cells without mRNA along time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    counts = np.arange(found.shares.shape[1])
    mean = found.means(found.shares)
    variance = found.shares @ counts**2 - mean**2
    zero = found.shares[:, 0]
    for ax, data, error, model, label in (
        (left, mean, np.sqrt(variance / found.cells), found.means(found.model), "mean mRNA"),
        (
            right,
            zero,
            np.sqrt(zero * (1.0 - zero) / found.cells),
            found.model[:, 0],
            "share of cells without mRNA",
        ),
    ):
        ax.plot(found.times, model, "-", color="#0072B2", linewidth=1.8, label="model")
        ax.errorbar(
            found.times,
            data,
            2.0 * error,
            fmt="o",
            color="#D55E00",
            markersize=4,
            capsize=2,
            label="cells, ± 2 standard errors",
        )
        ax.set_xlabel("time since the shock [min]")
        ax.set_ylabel(label)
        ax.set_ylim(bottom=0.0)
        ax.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)


def _root(values: FloatArray) -> FloatArray:
    # Matplotlib asks for places below the axis, too, where there is nothing to draw.
    return np.sqrt(np.maximum(values, 0.0))


def main() -> int:
    """Run everything; 0 if it went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cells", type=Path)
    parser.add_argument("--out", type=Path, default=Path("snapshots"))
    parser.add_argument("--figures", type=Path, default=FIGURES)
    parser.add_argument("--starts", type=int, default=0)
    parser.add_argument("--peer-python", help="interpreter with libRoadRunner and COPASI")
    options = parser.parse_args()
    cells = shifted(sg.load_snapshots(options.cells))
    objective = StateSpaceLikelihood(background=BACKGROUND)
    result = calibrate(cells, objective)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "osmotic_shock.xml"
    sg.save(result.model, path)
    report(result, cells, objective)
    found = compared(result, cells)
    draw_distributions(found, options.figures / "snapshots.png")
    draw_course(found, options.figures / "snapshots_course.png")
    print(f"written: {path.name}; libSBML finds {len(errors(path))} errors")
    if options.peer_python:
        for line in worst(path, 60.0, 12, 4000, options.peer_python):
            print(f"  {line}")
    search(result, cells, options.starts)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
