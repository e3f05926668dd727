"""One model through sbmlgrad: check, load, stochastic simulation, rate equations.

Run as `python biomodels_ours.py FOLDER` by `biomodels`, in a process of its own: it reads
`request.json` there and writes `ours.json`, after every step, and the sampled amounts as
`values.npy`, float64 [trajectory, time, species].

A file is tried as it stands, then with the options that `check` may ask for. The horizon is the
model's own: the power of ten at which one trajectory has a fair number of firings, or takes long.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import sbmlgrad as sg

#: What is tried, in this order, until one reading can be simulated.
READINGS: tuple[dict[str, str], ...] = (
    {},
    {"initial": "round"},
    {"substance": "item"},
    {"substance": "item", "initial": "round"},
)

#: Firings of one trajectory: what is aimed at, and the most that is spent.
AIM, MOST = 5_000, 100_000

#: Of the rate equations where no horizon is found.
FALLBACK_HORIZON = 10.0

#: A first look at a model that fires faster than that.
GLIMPSE = 1_000

#: The search for a horizon starts here, in the model's unit of time, and never leaves these.
FIRST, SHORTEST, LONGEST = 1e-2, 1e-9, 1e4

#: Outcome of a model without reactions.
NO_REACTIONS = "no_reactions"

#: Simulating one firing a molecule takes longer than anyone waits.
MOST_MOLECULES = 1e9

STEPS = 10

#: Seconds of a trial trajectory beyond which a shorter horizon is taken: many have to be sampled.
PATIENCE = 0.5

#: A mean may differ from the rate equations by so much of the largest value of its species.
NEAR = 0.02


class Infeasible(Exception):
    """A model whose exact simulation is too long by its size alone."""


class NothingFires(Exception):
    """A model without reactions: the rate equations are all there is to it."""


def horizon(
    model: sg.ReactionNetwork, seed: int, longest: float = LONGEST
) -> tuple[float, int, str]:
    """Return a horizon, the firings of one trajectory up to it, and how that trajectory ended.

    Args:
        model: the network.
        seed: of the trial trajectories.
        longest: the longest horizon to try.

    Raises:
        Infeasible: there are too many molecules, or too many firings in the shortest horizon.
        NothingFires: there are no reactions.
    """
    start = sg.simulate(model, times=[0.0], seed=seed)
    if not start.channels:
        raise NothingFires(model)
    molecules = sum(float(start.values(s, "counts")[0, 0]) for s in model.species_ids)
    if molecules > MOST_MOLECULES:
        raise Infeasible(f"{molecules:.3g} molecules at the start")
    length, best = _first_length(model, seed), None
    while length > longest:
        length /= 10.0
    while SHORTEST <= length <= longest:
        started = time.perf_counter()
        firings, outcome = _pilot(model, length, seed)
        if outcome == "FIRING_LIMIT" or time.perf_counter() - started > PATIENCE:
            if best is not None:
                return best
            length /= 10.0
            continue
        shrinking = best is None and length < FIRST
        best = (length, firings, outcome)
        if outcome not in ("COMPLETED",) or firings >= AIM or shrinking:
            return best
        length *= 10.0
    if best is None:
        raise Infeasible(
            f"more than {MOST:,} firings, or {PATIENCE:g} s, within {SHORTEST:g} of a time unit"
        )
    return best


def _first_length(model: sg.ReactionNetwork, seed: int) -> float:
    """Return where the search starts: earlier than usual for a model of many firings."""
    _, outcome = _pilot(model, FIRST, seed, GLIMPSE)
    if outcome != "FIRING_LIMIT":
        return FIRST
    readout = sg.AfterFirings([GLIMPSE])
    engine = sg.engines.Native(threads=1, kernel="table")
    glimpse = sg.simulate(model, readouts=[readout], seed=seed, engine=engine, on_failure="mark")
    reached = float(np.asarray(glimpse.values("time"))[0, 0])
    # So that the search begins with too few firings, and grows.
    length = FIRST
    while length > max(reached, SHORTEST):
        length /= 10.0
    return length


def _pilot(
    model: sg.ReactionNetwork, length: float, seed: int, limit: int = MOST
) -> tuple[int, str]:
    engine = sg.engines.Native(threads=1, kernel="table", firing_limit=limit)
    pilot = sg.simulate(model, times=[length], seed=seed, engine=engine, on_failure="mark")
    return int(pilot.firings[0]), sg.engines.Outcome(int(pilot.outcomes[0])).name


def attempt(path: Path, options: dict[str, str], request: dict[str, Any]) -> dict[str, Any]:
    """Try one reading of a file.

    Args:
        path: the file.
        options: of `load`.
        request: what `request.json` says.

    Returns:
        What came of it; the network itself, under `model`, where it can be simulated.
    """
    found: dict[str, Any] = {"options": options}
    model_issues = sg.check(path, **options)
    errors = [issue for issue in model_issues if "ssa" in issue.blocks]
    if errors:
        codes = sorted({issue.code for issue in errors})
        return {**found, "outcome": "refused", "codes": codes, "message": str(errors[0])}
    try:
        model = sg.load(path, **options)
        length, firings, ended = horizon(model, request["seed"], request.get("longest") or LONGEST)
    except NothingFires as error:
        words = "no reactions, so that nothing fires"
        return {
            **found,
            "outcome": NO_REACTIONS,
            "codes": [],
            "message": words,
            "model": error.args[0],
        }
    except Infeasible as error:
        return {**found, "outcome": "too_many_firings", "codes": [], "message": str(error)}
    except sg.ModelError as error:
        # Past `check`: what it did not foresee is worth a line of its own in the table.
        codes = sorted({f"{issue.code} (not foreseen by check)" for issue in error.issues})
        return {**found, "outcome": "refused", "codes": codes, "message": str(error)[:500]}
    except sg.SbmlGradError as error:
        words = f"{type(error).__name__}: {error}"[:500]
        return {**found, "outcome": "failed", "codes": [type(error).__name__], "message": words}
    found |= {"horizon": length, "firings": firings, "species": list(model.species_ids)}
    if ended not in ("COMPLETED", "ABSORBED"):
        return {**found, "outcome": "failed", "codes": [ended], "message": f"pilot: {ended}"}
    unstated = any(issue.code == "units_ambiguous" for issue in model_issues)
    found |= {"by_molecules": unstated or options.get("substance") == "item"}
    return {**found, "outcome": "simulated", "codes": [], "message": "", "model": model}


def sample(model: sg.ReactionNetwork, length: float, request: dict[str, Any]) -> sg.Ensemble:
    """Sample the ensemble that is compared with others.

    Args:
        model: the network.
        length: last output time.
        request: what `request.json` says.
    """
    return sg.simulate(
        model,
        times=np.linspace(0.0, length, STEPS + 1),
        trajectories=request["trajectories"],
        seed=request["seed"],
        engine=sg.engines.Native(threads=1, firing_limit=10 * MOST),
        on_failure="mark",
    )


def rate_equations(
    model: sg.ReactionNetwork, length: float, values: np.ndarray | None
) -> dict[str, Any]:
    """Run the rate equations; where there is a sample, tell whether its means are near them.

    Args:
        model: the network.
        length: last output time.
        values: amounts, float64 [trajectory, time, species], or None.

    Returns:
        The outcome and, with a sample, `near` and the fraction of means that are.
    """
    times = np.linspace(0.0, length, STEPS + 1)
    engine: Any = sg.engines.ODE()
    try:
        solved = sg.simulate(model, times=times, engine=engine)
    except sg.SbmlGradError as error:
        return {"outcome": "failed", "message": f"{type(error).__name__}: {error}"[:300]}
    if values is None:
        return {"outcome": "ran"}
    if not model.species_ids:
        return {"outcome": "ran"}
    exact = np.stack([solved.values(s, "amount")[0] for s in model.species_ids], axis=-1)
    counts = np.stack([solved.values(s, "counts")[0] for s in model.species_ids], axis=-1)
    # What so few trajectories cannot have seen: 5 molecules in all of them together.
    unseen = 5.0 / len(values) * np.where(counts > 0.0, exact / np.maximum(counts, 1e-300), 0.0)
    scale = np.abs(exact).max(axis=0)
    allowed = NEAR * scale + 4.0 * values.std(axis=0) / np.sqrt(len(values)) + unseen
    near = np.abs(values.mean(axis=0) - exact) <= allowed
    return {"outcome": "ran", "near": bool(near.all()), "near_fraction": float(near.mean())}


def main(folder: Path) -> None:
    """Do what the request says, writing down every step."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    path = Path(request["document"])
    found: dict[str, Any] = {"stage": "check", "attempts": []}

    def write(stage: str) -> None:
        found["stage"] = stage
        (folder / "ours.json").write_text(json.dumps(found), encoding="utf-8")

    write("check")
    found["codes"] = sorted({i.code for i in sg.check(path) if str(i.severity) == "error"})
    model, chosen = None, None
    for options in READINGS:
        write(f"reading {options or 'as it stands'}")
        chosen = attempt(path, options, request)
        model = chosen.pop("model", None)
        found["attempts"].append(chosen)
        if model is not None:
            break
    values = None
    if model is not None and chosen is not None and chosen["outcome"] != NO_REACTIONS:
        write("sampling")
        ensemble = sample(model, chosen["horizon"], request)
        bad = ensemble.outcomes[ensemble.outcomes > int(sg.engines.Outcome.ABSORBED)]
        if bad.size:
            names = sorted({sg.engines.Outcome(int(o)).name for o in bad})
            message = f"{bad.size} of {len(ensemble.outcomes)} trajectories"
            chosen |= {"outcome": "failed", "codes": names, "message": message}
        else:
            values = np.zeros((len(ensemble.outcomes), STEPS + 1, len(model.species_ids)))
            for place, species in enumerate(model.species_ids):
                values[:, :, place] = ensemble.values(species, "amount")
            np.save(folder / "values.npy", values)
    write("rate equations")
    try:
        loaded = model if model is not None else sg.load(path)
    except sg.SbmlGradError as error:
        found["ode"] = {"outcome": "not loaded", "message": f"{error}"[:300]}
    else:
        length = chosen.get("horizon", FALLBACK_HORIZON) if chosen else FALLBACK_HORIZON
        found["ode"] = rate_equations(loaded, length, values)
    write("done")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
