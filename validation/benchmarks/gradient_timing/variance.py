"""How noisy and how biased each estimator is, by temperature and by regime of two models.

The straight-through estimator has been found to have a diverging variance in challenging regimes of
bimolecular association and of the repressilator (Burger, Kofler, Heinrich & Gerland 2026,
arXiv:2604.02121). The parameters here are our own, since those of the study were not at hand, and
so is the statistic: the sum of the averages of one species over five windows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

WINDOWS = 5

#: Temperatures of the straight-through estimator; 0 is its analytic limit.
TEMPERATURES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001, 0.0)

#: Ensembles of which the scatter is taken.
SETS = 50

_HEAD = "unit substance = item; unit extent = item; compartment cell = 1;\n"

_ASSOCIATION = (
    _HEAD
    + """
    substanceOnly species A in cell, B in cell, C in cell;
    A = 20; B = 20; C = 0; k_on = 0.1; k_off = {k_off!r};
    bind: A + B -> C; k_on*A*B;
    release: C -> A + B; k_off*C;
"""
)

_REPRESSILATOR = (
    _HEAD
    + """
    substanceOnly species m0 in cell, m1 in cell, m2 in cell, p0 in cell, p1 in cell, p2 in cell;
    m0 = 5; m1 = 0; m2 = 0; p0 = 20; p1 = 0; p2 = 0;
    make = 20; leak = 0.2; K = 20; n = 2; lose = 1; translate = 4; decay = 1;
"""
)


@dataclass(frozen=True)
class Case:
    """A model in one regime.

    Attributes:
        model: `association` or `repressilator`.
        varies: what distinguishes regimes, as on an axis.
        at: its value.
        text: the model in Antimony.
        watched: species of the statistic.
        end: of the last window.
        parameters: that are differentiated.
        share: trajectories, as a fraction of those of the shortest case.
    """

    model: str
    varies: str
    at: float
    text: str
    watched: str
    end: float
    parameters: tuple[str, ...]
    share: float = 1.0


@dataclass(frozen=True)
class Row:
    """What one estimator did on one case.

    Attributes:
        case: the case.
        estimator: title.
        temperature: of the straight-through estimator, else None.
        trajectories: in all ensembles.
        bias: norm of the error of the mean gradient over that of the reference.
        bias_error: standard error of `bias`, the reference's included.
        noise: standard deviation of one trajectory's gradient over the norm of the reference.
        message: why there are no numbers.
    """

    case: Case
    estimator: str
    temperature: float | None
    trajectories: int
    bias: float = np.nan
    bias_error: float = np.nan
    noise: float = np.nan
    message: str = ""


@dataclass
class Study:
    """All rows, and what each reference is."""

    rows: list[Row] = field(default_factory=list)
    references: dict[tuple[str, float], str] = field(default_factory=dict)


def association(k_off: float) -> Case:
    """Return A + B <-> C; the smaller `k_off`, the scarcer the free molecules."""
    text = _ASSOCIATION.format(k_off=k_off)
    return Case("association", "k_off", k_off, text, "C", 5.0, ("k_on", "k_off"))


def repressilator(end: float) -> Case:
    """Return the ring of three genes, each repressing the next, up to `end` mRNA lifetimes."""
    lines = [_REPRESSILATOR]
    for i in range(3):
        by = f"p{(i + 2) % 3}"
        lines += [
            f"make{i}: -> m{i}; leak + make/(1 + ({by}/K)^n);",
            f"lose{i}: m{i} -> ; lose*m{i};",
            f"translate{i}: m{i} -> m{i} + p{i}; translate*m{i};",
            f"decay{i}: p{i} -> ; decay*p{i};",
        ]
    free = ("make", "leak", "K", "lose", "translate", "decay")
    text = "\n".join(lines)
    return Case("repressilator", "horizon", end, text, "p0", end, free, share=0.1 * 5.0 / end)


#: The regime in which temperatures are compared, and the regimes compared, of each model.
CASES: dict[str, tuple[Case, tuple[Case, ...]]] = {
    "association": (
        association(0.1),
        tuple(association(k) for k in (10.0, 1.0, 0.1, 0.01)),
    ),
    "repressilator": (
        repressilator(10.0),
        tuple(repressilator(t) for t in (2.5, 5.0, 10.0, 20.0)),
    ),
}


def others() -> list[tuple[str, Any]]:
    """Return (title, estimator) of those without a temperature.

    `FittedValue` is left out: it fits an ensemble, and has no noise of one trajectory.
    """
    import sbmlgrad as sg

    return [
        ("TwoSidedAdjoint", sg.gradients.TwoSidedAdjoint()),
        ("Adjoint", sg.gradients.Adjoint()),
        ("CoupledDifference", sg.gradients.CoupledDifference()),
        ("ScoreFunction", sg.gradients.ScoreFunction()),
        ("FiniteDifference", sg.gradients.FiniteDifference()),
    ]


def study(
    result: Study, models: Sequence[str], trajectories: int, seed: int, say: Callable[[str], None]
) -> None:
    """Measure every estimator in every regime.

    Args:
        result: filled as it goes, so that an interrupt leaves what was measured.
        models: of `CASES`.
        trajectories: of one estimator on the cheapest case, in all ensembles.
        seed: of all of them.
        say: takes lines on progress.
    """
    import sbmlgrad as sg

    for base, regimes in (CASES[model] for model in models):
        for case in regimes:
            reference, error, words = _reference(case, trajectories, seed + 1)
            result.references[case.model, case.at] = words
            temperatures = TEMPERATURES if case == base else (1.0, 0.1, 0.0)
            chosen = [
                ("StraightThrough", t, sg.gradients.StraightThrough(t)) for t in temperatures
            ] + [(title, None, estimator) for title, estimator in others()]
            truth = (reference, error)
            for title, temperature, estimator in chosen:
                row = _row(case, title, temperature, estimator, trajectories, seed, truth)
                result.rows.append(row)
            say(f"{case.model}, {case.varies} = {case.at:g}: {len(chosen)} estimators")


def _row(
    case: Case,
    title: str,
    temperature: float | None,
    estimator: Any,
    trajectories: int,
    seed: int,
    truth: tuple[NDArray[np.float64], float],
) -> Row:
    from sbmlgrad.errors import GradientError

    size = max(int(trajectories * case.share) // SETS, 2)
    try:
        sample = gradients(case, estimator, size, seed)
    except GradientError as refusal:
        return Row(case, title, temperature, size * SETS, message=str(refusal))
    return Row(case, title, temperature, size * SETS, *compare(sample, size, *truth))


def compare(
    sample: NDArray[np.float64], size: int, reference: NDArray[np.float64], error: float
) -> tuple[float, float, float]:
    """Return relative bias, its standard error and the noise of one trajectory.

    Args:
        sample: gradients of ensembles, float64 [ensemble, parameter].
        size: trajectories of one ensemble.
        reference: float64 [parameter].
        error: standard error of the reference, as a norm.
    """
    norm = float(np.linalg.norm(reference))
    spread = float(np.linalg.norm(sample.std(axis=0, ddof=1)))
    bias = float(np.linalg.norm(sample.mean(axis=0) - reference))
    return (
        bias / norm,
        float(np.hypot(spread / np.sqrt(len(sample)), error)) / norm,
        spread * np.sqrt(size) / norm,
    )


def gradients(case: Case, estimator: Any, size: int, seed: int) -> NDArray[np.float64]:
    """Return gradients in logarithms of the parameters, float64 [ensemble, parameter].

    Args:
        case: model and statistic.
        estimator: of the gradient.
        size: trajectories of one ensemble.
        seed: of all of them.
    """
    import tensorflow as tf

    import sbmlgrad as sg

    model = _load(case.text)
    places = [model.parameter_ids.index(p) for p in case.parameters]
    k = tf.constant(np.tile(model.parameter_values, (SETS, 1)))
    with tf.GradientTape() as tape:
        tape.watch(k)
        cells = sg.simulate(
            model,
            k,
            readouts=[_readout(case)],
            trajectories=size,
            seed=seed,
            estimator=estimator,
            engine=sg.engines.Native(1, kernel="lockstep"),
        )
        total = tf.reduce_sum(cells.mean(case.watched, "counts"))
    slopes = np.asarray(tape.gradient(total, k))
    return slopes[:, places] * model.parameter_values[places]


@cache
def _load(text: str) -> Any:
    import sbmlgrad as sg

    return sg.load(text)


def _readout(case: Case) -> Any:
    import sbmlgrad as sg

    return sg.WindowAverages([case.end * i / WINDOWS for i in range(WINDOWS + 1)])


def _reference(case: Case, trajectories: int, seed: int) -> tuple[NDArray[np.float64], float, str]:
    """Return the reference gradient, its standard error as a norm, and what it is."""
    import sbmlgrad as sg

    if case.model == "association":
        from sbmlgrad.cme.projection import project

        model = _load(case.text)
        scale = model.parameter_values[[model.parameter_ids.index(p) for p in case.parameters]]
        projection = project(model, until=case.end, tolerance=1e-10)
        slopes = np.asarray(projection.gradient(_readout(case), case.watched, case.parameters))
        return slopes.sum(axis=1) * scale, 0.0, "finite state projection (exact)"
    size = max(int(40 * trajectories * case.share) // SETS, 2)
    sample = gradients(case, sg.gradients.FiniteDifference(), size, seed)
    error = float(np.linalg.norm(sample.std(axis=0, ddof=1))) / np.sqrt(SETS)
    share = error / float(np.linalg.norm(sample.mean(axis=0)))
    return (
        sample.mean(axis=0),
        error,
        f"central differences, {size * SETS} trajectories each way (± {100 * share:.1g} %)",
    )
