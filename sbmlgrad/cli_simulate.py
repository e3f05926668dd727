"""What `sbmlgrad simulate` does besides simulating: engines by name, columns, files, a dry run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sbmlgrad.cli_support import names_of
from sbmlgrad.errors import ParameterError, RequestError

ENGINES = ("auto", "native", "reference", "ode")


def engine_of(name: str, threads: int | None) -> Any:
    """Return the engine that a name means; None where the library chooses.

    Args:
        name: one of `ENGINES`.
        threads: for the engine that uses them; None is every core.

    Raises:
        RequestError: no such engine, or one that does not use threads.
    """
    from sbmlgrad import engines

    if name not in ENGINES:
        raise RequestError(f"--engine {name}: choose one of {', '.join(ENGINES)}")
    if threads is not None and name not in ("auto", "native"):
        raise RequestError(f"--threads: --engine {name} uses one thread; leave the option out")
    if name == "ode":
        return engines.ODE()
    if name == "reference":
        return engines.Reference()
    return None if name == "auto" and threads is None else engines.Native(threads=threads)


def columns(network: Any, symbols: str | None) -> tuple[str, ...] | None:
    """Return the symbols asked for, or None for the state.

    Args:
        network: the model.
        symbols: their ids with commas between, or None.

    Raises:
        ParameterError: one of them is no symbol of the model.
    """
    if symbols is None:
        return None
    wanted = tuple(dict.fromkeys(names_of(symbols)))
    unknown = [name for name in wanted if name not in network.by_id]
    if unknown or not wanted:
        named = ", ".join(map(repr, unknown)) or "is named"
        raise ParameterError(
            f"--symbols {symbols}: no symbol {named} in model '{network.id}'; its symbols are "
            f"{', '.join(network.by_id) or '(none)'}"
        )
    return wanted


def result_suffix(out: Path) -> str:
    """Return the suffix of a file for results.

    Raises:
        RequestError: it is not known, or the folder does not exist.
    """
    if out.suffix not in (".csv", ".nc"):
        raise RequestError(f"--out {out}: choose a name that ends in .csv or .nc")
    if not out.parent.is_dir():
        raise RequestError(f"--out {out}: the folder {out.parent} does not exist")
    return out.suffix


def write_ensemble(ensemble: Any, wanted: Sequence[str] | None, out: Path, suffix: str) -> None:
    """Write an ensemble: its state, or the symbols wanted in what they mean in the model.

    Args:
        ensemble: the ensemble.
        wanted: symbols, or None for the state.
        out: the file.
        suffix: of it, as `result_suffix` returns it.

    Raises:
        WriteError: the file cannot be written.
    """
    from sbmlgrad.io.files import write_atomically

    if suffix == ".csv":
        frame = ensemble.to_dataframe()
        if wanted is not None:
            frame = frame[["trajectory", "time"]].assign(
                **{name: ensemble.values(name).reshape(-1) for name in wanted}
            )
        write_atomically(out, frame.to_csv(index=False).encode())
        return
    dataset = ensemble.to_xarray()
    if wanted is not None:
        values = {n: (("trajectory", "time"), ensemble.values(n)) for n in wanted}
        dataset = dataset[["outcome"]].assign(values)
    write_atomically(out, bytes(dataset.to_netcdf()))


def plan(
    network: Any, parameters: Mapping[str, float], times: Any, seed: int | None, engine: Any
) -> dict[str, Any]:
    """Check everything that a simulation needs, and say what it would do.

    Args:
        network: the model.
        parameters: id → value of those that are set.
        times: float64 [time].
        seed: or None.
        engine: as `engine_of` returns it.

    Returns:
        Numbers of output times, of firing channels and events or of equations, and of variables.

    Raises:
        SbmlGradError: whatever the simulation itself would refuse.
    """
    import numpy as np

    from sbmlgrad.engines.base import is_deterministic
    from sbmlgrad.engines.readouts import ValuesAt
    from sbmlgrad.model.numbers import whole
    from sbmlgrad.simulation_inputs import LARGEST_SEED

    ValuesAt(times)
    if seed is not None:
        whole("seed", seed, 0, LARGEST_SEED)
    model = network.with_parameters(parameters)
    if is_deterministic(engine):
        from sbmlgrad.codegen.deterministic import lower_deterministic

        system = lower_deterministic(model)
        return {
            "times": len(times),
            "equations": len(system.moving),
            "state": len(system.state_ids),
        }
    from sbmlgrad.codegen.lowering import lower
    from sbmlgrad.engines.start import start_states

    lowered = lower(model)
    start_states(lowered, {}, {}, 0, np.zeros(1, dtype=np.uint64))
    return {
        "times": len(times),
        "channels": len(lowered.channels),
        "events": len(lowered.events),
        "state": len(lowered.state_ids),
    }


def facts(ensemble: Any) -> dict[str, Any]:
    """Return what a simulation did: its engine and, if it drew anything, firings and seed."""
    found: dict[str, Any] = {"engine": str(ensemble.engine)}
    if not ensemble.is_deterministic:
        found |= {"firings": int(ensemble.firings.sum()), "seed": ensemble.seed}
    return found


def print_facts(said: Mapping[str, Any]) -> None:
    """Print what a simulation did or, if it has the key `dry_run`, would do."""
    print("would simulate" if "dry_run" in said else f"written to {said['out']}")
    shown = {key: value for key, value in said.items() if key not in ("out", "dry_run")}
    print("\n".join(f"  {key}: {value}" for key, value in shown.items()))
