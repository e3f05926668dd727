"""Results of fits as `fit` makes them, without its time: simulated, but with made-up histories."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.noise import draw
from sbmlgrad.fit.predictions import curve_of, predictions_of
from sbmlgrad.fit.result import FitResult, Start
from sbmlgrad.fit.search_space import as_mapping, search_space
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.fit.uncertainty.result import Uncertainty, with_uncertainty
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import Experiment, Observable, Period, Problem, ProblemParameter
from sbmlgrad.model.provenance import Provenance

EXPRESSION = """
  k_on = 2; k_off = 0.4; k_p = 1.5; d_p = 0.3; drug = 1
  M = 0; P = 0; D = 0
  species M, P, D in cell
  transcription: -> M; k_on*drug
  decay: M -> ; k_off*M
  translation: M -> M + P; k_p*M
  loss: P -> D; d_p*P
"""

TRUTH = {"k_on": 2.0, "k_off": 0.4, "k_p": 1.5, "scale": 0.5}


def problem_of(
    experiments: int = 2,
    formulas: tuple[str, ...] = ("M", "scale*P", "P + D"),
    noise: str = "normal",
    replicates: int = 2,
) -> Problem:
    """Return a problem with measurements that are still to be made: all of them 1."""
    model = antimony(EXPRESSION)
    names = [f"conc{i}" for i in range(experiments)]
    times = [0.0, 1.0, 2.0, 4.0, 7.0, 10.0]
    rows = [
        (name, place, time, str(r))
        for name in names
        for place in range(len(formulas))
        for time in times
        for r in range(replicates)
    ]
    conditions, places, at, labels = zip(*rows, strict=True)
    observables = tuple(
        Observable(
            f"y{i}",
            formula_of(formula),
            Noise(noise, formula_of("1 + 0.05*P" if i else "sd_m")),
            name=f"reading {i} & <more>",
            unit="nM",
        )
        for i, formula in enumerate(formulas)
    )
    free = [
        ProblemParameter(
            id,
            value * 1.5,
            value / 100,
            value * 100,
            prior=Prior("log-normal", (0.0, 1.0)) if id == "k_on" else None,
            unit="1/s",
            name=f"rate {id}",
        )
        for id, value in TRUTH.items()
    ]
    return Problem(
        model,
        observables,
        Measurements(
            tuple(o.id for o in observables),
            np.array(at),
            np.array(places),
            np.ones(len(rows)),
            labels,
            conditions,
            source_name="plate 1 <raw>.csv",
            sha256="ab" * 32,
            time_unit="h",
            units=("nM",) * len(observables),
            notes=("row 3 & 4 were ignored: <empty>",),
        ),
        (*free, ProblemParameter("sd_m", 1.25, is_estimated=False)),
        tuple(
            Experiment(name, (Period(0.0, {"drug": formula_of(f"1 + {i}")}),), f"dose {i}")
            for i, name in enumerate(names)
        ),
        name="expression",
        settings={"epochs": 30, "method": "mean", "weights": [1.0, float("inf")]},
    )


def result_of(
    problem: Problem, starts: int = 8, epochs: int = 60, trajectories: int = 200, seed: int = 3
) -> FitResult:
    """Return a result at the truth, with measurements drawn around it."""
    space = search_space(problem)
    truth = np.array([TRUTH[id] for id in space.ids])
    m = problem.measurements
    times = {e.id: tuple(np.unique(m.time).tolist()) for e in problem.experiments}
    simulator = Simulator(
        problem, space, prepared(problem), times, sg.engines.Native(kernel="table"), seed
    )
    expected = predictions_of(problem, simulator(truth, 2000, 10**6))
    assert expected is not None
    rng = np.random.default_rng(seed)
    value = np.empty(len(m))
    for place, id in enumerate(m.observables):
        rows = m.observable_index == place
        distribution = problem.observable[id].noise.distribution
        value[rows] = draw(distribution, expected.mean[rows], expected.scale[rows], rng)
    problem = replace(problem, measurements=replace(m, value=value))
    fine = {e.id: tuple(np.linspace(0.0, 10.0, 41).tolist()) for e in problem.experiments}
    drawn = simulator(truth, trajectories, 0, times=fine)
    fitted = as_mapping(space, truth)
    falling = 1.1 + 30.0 * np.exp(-np.arange(epochs) / 8.0)
    path = truth * (space.start / truth) ** np.exp(-np.arange(epochs) / 8.0)[:, None]
    model = problem.network.with_parameters(
        {id: v for id, v in fitted.items() if id in problem.network.parameter_ids}
    )
    record = Provenance(
        fitted={id: v for id, v in fitted.items() if id in problem.network.parameter_ids},
        data_name=m.source_name,
        data_sha256=m.sha256,
        seed=seed,
        estimator="TwoSidedAdjoint()",
        loss=1.07,
        loss_standard_error=0.01,
        software={"sbmlgrad": "0.1.0", "numpy": "2.0"},
        finished="2026-01-01T00:00:00+00:00",
        settings={"objective": "MeanTrajectory()", "epochs": str(epochs)},
    )
    fates = ["best", *["dropped"] * max(starts - 2, 0), *["trajectory 3 failed"] * (starts > 1)]
    return FitResult(
        model=replace(model, provenance=record),
        problem=problem,
        values=fitted,
        free=space,
        objective="MeanTrajectory()",
        loss=1.07,
        loss_standard_error=0.01,
        start_loss=31.0,
        loss_history=falling * rng.lognormal(0.0, 0.05, epochs),
        error_history=0.03 * falling,
        parameter_history=path * rng.lognormal(0.0, 0.02, path.shape),
        trajectories_history=np.where(np.arange(epochs) < epochs // 2, 128, 256),
        curves={
            (e.id, o.id): curve_of(drawn[e.id], o)
            for e in problem.experiments
            for o in problem.observables
        },
        starts=tuple(
            Start(
                space.start * 1.3**i,
                np.nan if fate.startswith("traj") else 1.1 + 2.0 * i,
                epochs if i == 0 else 12 * (i % 3 + 1),
                fate,
            )
            for i, fate in enumerate(fates)
        ),
        seed=seed,
        estimator="TwoSidedAdjoint()",
        optimizer="adam",
        engine="Native(kernel='table')",
        evaluation_trajectories=trajectories,
        assumptions=("TwoSidedAdjoint() agrees with FiniteDifference() <within errors>",),
        reason=f"{epochs} epochs were asked for",
        interrupted=False,
        predictions=predictions_of(problem, simulator(truth, trajectories, 0)),
        arguments={"seed": str(seed), "epochs": str(epochs)},
    )


def with_errors(result: FitResult) -> FitResult:
    """Return a result with made-up uncertainty: 10 %, one interval open."""
    n = len(result.free.ids)
    values = np.array([result.values[id] for id in result.free.ids])
    upper = values * 1.2
    upper[-1] = np.inf
    uncertainty = Uncertainty(
        "fisher",
        0.9,
        "confidence",
        result.free.ids,
        values,
        0.1 * values,
        values / 1.2,
        upper,
        0.01 * np.eye(n) + 0.005,
        result.free.is_logarithmic,
        {result.free.ids[0]: ("moves together with k_off",)},
        ("one direction is sloppy",),
        {"trajectories": "4000"},
        result.units,
    )
    return replace(with_uncertainty(result, uncertainty), extra={}, uncertainty=uncertainty)


@lru_cache
def usual_result() -> FitResult:
    """Two experiments, three observables, eight starts, with uncertainty."""
    return with_errors(result_of(problem_of()))
