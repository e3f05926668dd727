"""Remakes the tutorial `ion-channel.md`: fits, tables, figure, calibrated models.

Run `python docs/tutorials/make_ion_channel.py RECORD`, with the record of dwells as a CSV file
(columns state, dwell_ms, usable). It prints the numbers of the page, and writes the calibrated
models to `--out` and the figure to `docs/figures/`. With `--peer-python` the models are opened in
other tools as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from channel_reference import mixture, three_state_rates, two_state_rates
from channel_simulated import TRUE, simulated_record
from numpy.typing import NDArray
from other_tools import errors, worst

import sbmlgrad as sg
from sbmlgrad.fit.objectives import DwellTimes

FloatArray = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models" / "sbml"
FIGURE = ROOT / "docs" / "figures" / "channel.png"

#: Shortest dwell that the record resolves, in ms.
DEAD_TIME = 0.025
OPEN, SHUT = "1", "0"
#: Of every rate, per ms.
BOUNDS = (1e-4, 1e4)
#: Model → the species in which the channel is shut.
SCHEMES: Mapping[str, tuple[str, ...]] = {
    "gating_two_states": ("C",),
    "gating_three_states": ("C", "P"),
}


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A fitted scheme.

    Attributes:
        result: of the fit, with intervals.
        objective: what it made small.
        log_likelihood: of all dwells.
    """

    result: sg.FitResult
    objective: DwellTimes
    log_likelihood: float

    @property
    def values(self) -> FloatArray:
        """Fitted rates, float64 [free]."""
        return np.array([self.result.values[id] for id in self.result.free.ids])

    @property
    def criterion(self) -> float:
        """Bayesian information criterion (Schwarz 1978, Ann. Stat. 6, 461)."""
        dwells = self.objective.count(self.result.problem)
        return len(self.values) * np.log(dwells) - 2.0 * self.log_likelihood


def calibrate(model: sg.ReactionNetwork, shut: tuple[str, ...], record: sg.Dwells) -> Calibrated:
    """Fit a scheme to a record.

    Args:
        model: the scheme, with the open state `O`.
        shut: species in which the channel is shut.
        record: of dwells.
    """
    objective = DwellTimes(record, {OPEN: ("O",), SHUT: shut})
    # The likelihood is exact: trajectories are simulated for nothing but formality.
    result = sg.fit(
        model,
        record,
        bounds=dict.fromkeys(model.parameter_ids, BOUNDS),
        objective=objective,
        seed=1,
        trajectories=2,
        evaluation_trajectories=2,
    )
    found = sg.uncertainty(result, level=0.95, objective=objective)
    values = np.array([result.values[id] for id in result.free.ids])
    likelihood = objective.log_likelihood(result.problem, values)
    return Calibrated(sg.with_uncertainty(result, found), objective, likelihood)


def references(record: sg.Dwells) -> tuple[dict[str, FloatArray], dict[str, float]]:
    """Return the most likely rates of both schemes and their log-likelihoods, by SciPy alone."""
    opened, closed = (record.of(state) - record.dead_time for state in (OPEN, SHUT))
    mean, one, two = float(opened.mean()), mixture(closed, 1), mixture(closed, 2)
    rates = {
        "gating_two_states": two_state_rates(mean, float(one.tau[0]), record.dead_time),
        "gating_three_states": three_state_rates(mean, two, record.dead_time),
    }
    common = mixture(opened, 1).log_likelihood
    return rates, {
        "gating_two_states": common + one.log_likelihood,
        "gating_three_states": common + two.log_likelihood,
    }


def report(fits: Mapping[str, Calibrated], record: sg.Dwells) -> None:
    """Print the tables of the page."""
    best, likelihoods = references(record)
    print(f"{record.of(OPEN).size} open and {record.of(SHUT).size} shut dwells are usable")
    for name, fit in fits.items():
        print(
            f"\n{name}: log-likelihood {fit.log_likelihood:.2f}, by SciPy {likelihoods[name]:.2f}"
        )
        print(f"  criterion {fit.criterion:.0f}, {len(fit.result.loss_history)} epochs")
        for id, value, other in zip(fit.result.free.ids, fit.values, best[name], strict=True):
            found = fit.result.uncertainty
            assert found is not None
            low, high = found.interval(id)
            print(
                f"| `{name}` | `{id}` | {value:.4g} | {low:.4g} to {high:.4g} | {other:.4g} | "
                f"{100 * (value / other - 1):+.4f} % |"
            )
        for state, word in ((OPEN, "open"), (SHUT, "shut")):
            area, tau = fit.objective.components(fit.result.model, state)
            order = np.argsort(-tau)
            parts = ", ".join(f"{area[i]:.3f} of {tau[i]:.4g} ms" for i in order)
            print(f"  {word}: {parts}")
    three = fits["gating_three_states"].result.values
    leave = three["k_close"] + three["k_pause"]
    for rate, what in ((three["k_resume"], "pauses"), (leave, "openings")):
        print(
            f"{what} shorter than the dead time: {-100 * np.expm1(-rate * record.dead_time):.1f} %"
        )
    two = mixture(record.of(SHUT) - record.dead_time, 2)
    weights = two.area * np.exp(record.dead_time / two.tau)
    naive = weights / weights.sum() / (record.of(OPEN) - record.dead_time).mean()
    print(f"k_close and k_pause if nothing were joined: {naive[0]:.4g}, {naive[1]:.4g} /ms")
    print("mixtures that no scheme binds (log-likelihood, criterion):")
    for state, word in ((OPEN, "open"), (SHUT, "shut")):
        beyond = record.of(state) - record.dead_time
        for count in (1, 2, 3):
            found = mixture(beyond, count)
            criterion = found.parameters * np.log(beyond.size) - 2.0 * found.log_likelihood
            taus = ", ".join(
                f"{area:.3f} of {tau:.3g} ms"
                for area, tau in zip(found.area, found.tau, strict=True)
            )
            print(f"  {word} {count}: {found.log_likelihood:.1f}, {criterion:.0f}: {taus}")


def known(openings: int = 300_000) -> None:
    """Print how far the correction of missed dwells is off, from a long simulated record."""
    record = simulated_record(openings, 1, DEAD_TIME)
    opened, closed = (record.of(state) - DEAD_TIME for state in (OPEN, SHUT))
    rates = three_state_rates(float(opened.mean()), mixture(closed, 2), DEAD_TIME)
    for rate, (id, true) in zip(rates, TRUE.items(), strict=True):
        print(f"{id} of a long simulated record: {100 * (rate / true - 1):+.1f} %")


def draw(fits: Mapping[str, Calibrated], record: sg.Dwells, path: Path) -> None:
    """Draw the histograms of dwells as Sigworth & Sine 1987 (Biophys. J. 52, 1047) do.

    Bins are of equal width on a logarithmic axis, so that an exponential is a hill with its top at
    the time constant; the root on the other axis makes all bars scatter alike.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharey=False)
    styles = {
        "gating_two_states": ("two states", "#D55E00", "--", 3),
        "gating_three_states": ("three states", "#0072B2", "-", 2),
    }
    for ax, state, word in zip(panels, (OPEN, SHUT), ("open", "shut"), strict=True):
        dwells = record.of(state)
        bins = np.geomspace(record.dead_time, 10 ** np.ceil(np.log10(dwells.max())), 46)
        counts, _ = np.histogram(dwells, bins)
        ax.stairs(counts, bins, fill=True, color="#BBBBBB", label=f"record, {dwells.size} dwells")
        top = float(counts.max())
        fine = np.geomspace(bins[0], bins[-1], 500)
        width = np.log(bins[1] / bins[0])
        for name, fit in fits.items():
            area, tau = fit.objective.components(fit.result.model, state)
            beyond = fine[:, None] - record.dead_time
            density = np.exp(-beyond / tau) @ (area / tau)
            title, colour, line, zorder = styles[name]
            expected = dwells.size * density * fine * width
            ax.plot(fine, expected, line, color=colour, linewidth=1.8, label=title, zorder=zorder)
            top = max(top, float(expected.max()))
        ax.set_xscale("log")
        ax.set_yscale("function", functions=(_root, np.square))
        ax.set_ylim(0.0, 1.25 * top)
        ax.set_xlim(bins[0], bins[-1])
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.set_title(f"{word} dwells")
        ax.set_xlabel("duration [ms]")
        ax.set_ylabel("dwells in a bin (square-root scale)")
        ax.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)


def _root(values: FloatArray) -> FloatArray:
    # Matplotlib asks for places below the axis, too, where there is nothing to draw.
    return np.sqrt(np.maximum(values, 0.0))


def main() -> int:
    """Run everything; 0 if it went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", type=Path)
    parser.add_argument("--out", type=Path, default=Path("channel"))
    parser.add_argument("--figure", type=Path, default=FIGURE)
    parser.add_argument("--peer-python", help="interpreter with libRoadRunner and COPASI")
    options = parser.parse_args()
    record = sg.load_dwells(options.record, dead_time=DEAD_TIME)
    fits = {
        name: calibrate(sg.load(MODELS / f"{name}.xml"), shut, record)
        for name, shut in SCHEMES.items()
    }
    report(fits, record)
    known()
    draw(fits, record, options.figure)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, fit in fits.items():
        path = options.out / f"{name}.xml"
        sg.save(fit.result.model, path)
        print(f"\nwritten: {path.name}; libSBML finds {len(errors(path))} errors")
        if options.peer_python:
            for line in worst(path, 40.0, 20, 20_000, options.peer_python):
                print(f"  {line}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
