"""What `sbmlgrad simulate` writes and says afterwards."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sbmlgrad.cli.simulate import Job, check, run
from sbmlgrad.cli.support import progress_bar

#: Shares of trajectories whose quantiles a summary has.
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)

#: Rows of a table that are turned into text at a time.
ROWS = 2**16


def simulated(job: Job, out: Path, *, is_silent: bool) -> dict[str, Any] | None:
    """Simulate, write the result, and return facts about it; None if the user interrupted.

    Args:
        job: what to simulate.
        out: the file; its suffix is the job's.
        is_silent: show no progress.

    Returns:
        The engine and, if it drew anything, firings and seed; symbols whose quantiles are missing.

    Raises:
        SbmlGradError: whatever the simulation refuses, or trajectories failed.
        WriteError: the file cannot be written.
    """
    from sbmlgrad.io.files import write_atomically

    check(job)
    try:
        with progress_bar("simulating", is_silent) as advance:
            found = run(job, advance)
    except KeyboardInterrupt:
        print(f"interrupted; nothing was written to {out}", file=sys.stderr)
        return None
    said: dict[str, Any] = {
        "model": job.network.id,
        "out": str(out),
        "trajectories": job.count,
        "engine": str(found.engine),
    }
    if job.is_summary:
        data, undefined = _summary_bytes(found, job)
        said |= {"firings": found.firings, "seed": found.seed}
        said |= {"without_quantiles": undefined} if undefined else {}
    else:
        data = _ensemble_bytes(found, job)
        if not found.is_deterministic:
            said |= {"firings": int(found.firings.sum()), "seed": found.seed}
    write_atomically(out, data)
    return said


def _ensemble_bytes(ensemble: Any, job: Job) -> bytes:
    """Return an ensemble as a file: its state, or the symbols wanted in what they mean."""
    if job.suffix == ".csv":
        file = io.BytesIO()
        file.writelines(_pieces(ensemble, job.symbols))
        return file.getvalue()
    dataset = ensemble.to_xarray()
    if job.symbols is not None:
        values = {n: (("trajectory", "time"), ensemble.values(n)) for n in job.symbols}
        dataset = dataset[["outcome"]].assign(values)
    return bytes(dataset.to_netcdf())


def _pieces(ensemble: Any, symbols: Sequence[str] | None) -> Iterator[bytes]:
    """Yield a long table as text, piece by piece: whole it takes many times the ensemble."""
    trajectories = len(ensemble.outcomes)
    size = max(ROWS // len(ensemble.times), 1)
    parts = [_part(ensemble, low, low + size) for low in range(0, trajectories, size)]
    kinds: dict[str, str] = {}
    if symbols is None and len(parts) > 1:
        # A column is written as whole numbers only where every piece of it is.
        for part in parts:
            found = part.to_dataframe().dtypes
            kinds |= {str(n): "float64" for n, kind in found.items() if kind == "float64"}
    for number, part in enumerate(parts):
        frame = part.to_dataframe()
        if symbols is not None:
            columns = {name: part.values(name).reshape(-1) for name in symbols}
            frame = frame[["trajectory", "time"]].assign(**columns)
        yield frame.astype(kinds).to_csv(index=False, header=number == 0).encode()


def _part(ensemble: Any, low: int, high: int) -> Any:
    """Return consecutive trajectories of an ensemble, which share its memory."""
    return replace(
        ensemble,
        states=tuple(states[low:high] for states in ensemble.states),
        outcomes=ensemble.outcomes[low:high],
        firings=ensemble.firings[low:high],
        first_trajectory=ensemble.first_trajectory + low,
    )


def _summary_bytes(summary: Any, job: Job) -> tuple[bytes, list[str]]:
    """Return a summary as a file, and the symbols without quantiles."""
    import numpy as np

    from sbmlgrad.errors import StatisticsError

    points = len(summary.times)
    values = np.full((len(summary.asked), points, len(SHARES)), np.nan)
    widths = values.copy()
    undefined: list[str] = []
    for number, pair in enumerate(summary.asked):
        try:
            found = [summary.quantile(pair[0], share, pair[1]) for share in SHARES]
        except StatisticsError:
            # Somewhere it is infinite or no number, and such values have no order.
            undefined.append(pair[0])
            continue
        values[number] = np.stack([quantile.value for quantile in found], axis=-1)
        widths[number] = np.stack([quantile.half_width for quantile in found], axis=-1)
    if job.suffix == ".csv":
        frame = summary.to_dataframe()
        for place, share in enumerate(SHARES):
            frame[f"quantile_{share}"] = values[:, :, place].reshape(-1)
        # What the worst of them may be off; 0 where all are exact.
        frame["quantile_half_width"] = widths.max(axis=-1).reshape(-1)
        return frame.to_csv(index=False).encode(), undefined
    dims = ("symbol", "time", "share")
    dataset = summary.to_xarray().assign_coords(share=list(SHARES))
    dataset = dataset.assign(quantile=(dims, values), quantile_half_width=(dims, widths))
    return bytes(dataset.to_netcdf()), undefined


def print_facts(said: Mapping[str, Any]) -> None:
    """Print what a simulation did or, if it has the key `dry_run`, would do."""
    from sbmlgrad.engines.memory_estimate import in_words

    print("would simulate" if "dry_run" in said else f"written to {said['out']}")
    for key, value in said.items():
        if key in ("out", "dry_run"):
            continue
        if key.startswith("memory"):
            value = "unknown" if value is None else f"about {in_words(value)}"
        elif isinstance(value, list):
            value = f"{', '.join(value)}, which are infinite or no number somewhere"
        print(f"  {key.replace('_', ' ')}: {value}")
