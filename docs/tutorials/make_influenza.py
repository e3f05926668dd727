"""Remakes the tutorial `influenza.md`: fit, table, figure, calibrated model.

Run `python docs/tutorials/make_influenza.py`. It prints the numbers of the page, and writes the
calibrated model to `--out` and the figure to `docs/figures/`. With `--peer-python` the model is
opened in other tools as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from other_tools import errors, worst

import sbmlgrad as sg
from sbmlgrad.engines import ODE

FloatArray = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "sbml" / "sir.xml"
DATA = ROOT / "models" / "data" / "influenza_england_1978.xlsx"
FIGURE = ROOT / "docs" / "figures" / "influenza.png"

FREE = ("beta", "gamma")
LEVEL = 0.95
#: Boys in the school, and those infectious at the start.
BOYS, FIRST = 763, 3
#: Trajectories that ever infect fewer boys than these have started no epidemic.
FEW = 50
#: Last day, and trajectories behind the share.
END, MANY = 13.0, 20_000


def calibrate(**settings: Any) -> sg.FitResult:
    """Fit the model to the spreadsheet, and say how certain the rates are.

    Args:
        settings: of `sg.fit`; those of the page leave all but the seed to it.
    """
    result = sg.fit(sg.load(MODEL), sg.load_measurements(DATA), free=list(FREE), **settings)
    return sg.with_uncertainty(result, sg.uncertainty(result, level=LEVEL))


def rows(result: sg.FitResult) -> Iterator[str]:
    """Yield the rows of the table of rates."""
    found = result.uncertainty
    assert found is not None
    for place, id in enumerate(FREE):
        low, high = found.interval(id)
        error = found.standard_errors[place]
        yield f"| `{id}` | {result.values[id]:.3f} | {error:.3f} | {low:.3f} to {high:.3f} |"


def combinations(result: sg.FitResult) -> Iterator[str]:
    """Yield the two combinations of rates that the page explains, and how certain they are."""
    found = result.uncertainty
    assert found is not None
    low, high = found.interval("gamma")
    days, least, most = (1.0 / rate for rate in (result.values["gamma"], high, low))
    yield f"1/`gamma` = {days:.2f} days ({least:.2f} to {most:.2f})"
    ratio = result.values["beta"] / result.values["gamma"]
    # Of logarithms, in which the covariance is; of the values, and not of the optimum near them.
    distance = found.details["distance_to_optimum"]
    c = found.covariance + np.outer(distance, distance)
    error = ratio * float(np.sqrt(c[0, 0] + c[1, 1] - 2.0 * c[0, 1]))
    yield f"`beta`/`gamma` = {ratio:.2f} ± {error:.2f}"


def by_rate_equations() -> FloatArray:
    """Return the rates whose differential equations are nearest to the counts, by SciPy alone."""
    from scipy.integrate import solve_ivp
    from scipy.optimize import least_squares

    counts = sg.load_measurements(DATA)

    def residuals(logarithms: FloatArray) -> FloatArray:
        beta, gamma = np.exp(logarithms)

        def slopes(_: float, y: FloatArray) -> list[float]:
            infection = beta * y[0] * y[1] / BOYS
            return [-infection, infection - gamma * y[1]]

        start = [BOYS - FIRST, FIRST]
        found = solve_ivp(slopes, (0.0, END), start, t_eval=counts.time, rtol=1e-9, atol=1e-9)
        return found.y[1] - counts.value

    return np.exp(least_squares(residuals, np.log([1.5, 0.5]), xtol=1e-12).x)


def peaks(rates: FloatArray) -> tuple[float, float]:
    """Return how many boys are ill at the peak of the equations and of the mean over epidemics."""
    model = sg.load(MODEL).with_parameters(dict(zip(FREE, rates.tolist(), strict=True)))
    times = np.linspace(0.0, END, 131)
    course = sg.simulate(model, times=times, trajectories=1, engine=ODE())
    ensemble = sg.simulate(model, times=times, trajectories=MANY, seed=4)
    return float(course.values("I").max()), float(ensemble.values("I").mean(0).max())


def died_out(model: sg.ReactionNetwork) -> float:
    """Return the share of trajectories in which hardly anyone was infected."""
    ensemble = sg.simulate(model, times=[END], trajectories=MANY, seed=2)
    return float((ensemble.values("S")[:, 0] > BOYS - FEW).mean())


def report(result: sg.FitResult) -> None:
    """Print the numbers of the page."""
    print(result)
    print(result.uncertainty)
    for line in (*rows(result), *combinations(result)):
        print(line)
    rates = by_rate_equations()
    print("by rate equations and SciPy: beta {:.3f}, gamma {:.3f}".format(*rates))
    print("peak there, of the equations and of the mean: {:.0f} and {:.0f}".format(*peaks(rates)))
    share, expected = (
        died_out(result.model),
        (result.values["gamma"] / result.values["beta"]) ** FIRST,
    )
    print(
        f"no epidemic: {100 * share:.1f} % of {MANY} trajectories, {100 * expected:.1f} % expected"
    )


def main() -> int:
    """Run everything; 0 if it went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("influenza"))
    parser.add_argument("--figure", type=Path, default=FIGURE)
    parser.add_argument("--peer-python", help="interpreter with libRoadRunner and COPASI")
    options = parser.parse_args()
    result = calibrate(seed=1)
    report(result)
    result.plot(options.figure)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "sir.xml"
    sg.save(result.model, path)
    print(f"written: {path.name}; libSBML finds {len(errors(path))} errors")
    if options.peer_python:
        for line in worst(path, END, 13, 4000, options.peer_python):
            print(f"  {line}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
