"""What `sbmlgrad simulate` does besides simulating: engines by name, columns, checks before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbmlgrad.cli.support import import_tensorflow_quietly, names_of
from sbmlgrad.errors import ParameterError, RequestError

if TYPE_CHECKING:
    from sbmlgrad.codegen.lowering import LoweredNetwork

ENGINES = ("auto", "native", "reference", "ode", "cuda", "tensorflow")
KERNELS = ("auto", "table", "lockstep", "tree")
PRECISIONS = ("float64", "float32")

#: Engines that take the options of `Native`.
_NATIVE = ("auto", "native")

#: Bins of the histograms that quantiles of a summary come from.
BINS = 1024

#: Copies of the numbers that a file is made of, while it is put together in memory.
_COPIES = {".csv": 1, ".nc": 3}

Quantity = tuple[str, str | None]


def engine_of(
    name: str, threads: int | None, kernel: str | None = None, precision: str | None = None
) -> Any:
    """Return the engine that a name means; None where the library chooses.

    Args:
        name: one of `ENGINES`.
        threads: for the engine that uses them; None is every core.
        kernel: one of `KERNELS`, for the native engine; None leaves the choice to it.
        precision: one of `PRECISIONS`, for the native engine; None is double precision.

    Raises:
        RequestError: no such engine, kernel or precision, or options that do not go together.
    """
    from sbmlgrad import engines

    if name not in ENGINES:
        raise RequestError(f"--engine {name}: choose one of {', '.join(ENGINES)}")
    if name not in _NATIVE:
        _refuse_native_options(name, threads, kernel, precision)
        by_name = {"reference": "Reference", "ode": "ODE", "cuda": "Cuda"}
        return getattr(engines, by_name.get(name, "TensorFlow"))()
    _refuse_unknown("--kernel", kernel, KERNELS)
    _refuse_unknown("--precision", precision, PRECISIONS)
    if kernel == "tree" and precision == "float32":
        raise RequestError(
            "--precision float32: --kernel tree works in double precision; leave one of them out"
        )
    if name == "auto" and (threads, kernel, precision) == (None, None, None):
        return None
    return engines.Native(
        threads=threads, kernel=kernel or KERNELS[0], dtype=precision or PRECISIONS[0]
    )


def _refuse_native_options(
    name: str, threads: int | None, kernel: str | None, precision: str | None
) -> None:
    if kernel is not None:
        raise RequestError(
            f"--kernel {kernel}: only --engine native has kernels to choose from, not {name}; "
            "leave the option out"
        )
    if precision is not None:
        raise RequestError(
            f"--precision {precision}: only --engine native has a choice of it, {name} works in "
            "double precision; leave the option out"
        )
    if threads is not None and name in ("cuda", "tensorflow"):
        raise RequestError(
            f"--threads: --engine {name} divides its work up by itself; leave the option out"
        )
    if threads is not None:
        raise RequestError(f"--threads: --engine {name} uses one thread; leave the option out")


def _refuse_unknown(option: str, value: str | None, choices: Sequence[str]) -> None:
    if value is not None and value not in choices:
        raise RequestError(f"{option} {value}: choose one of {', '.join(choices)}")


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
        WriteError: the folder may not be written to.
    """
    from sbmlgrad.io.files import check_folder

    if out.suffix not in (".csv", ".nc"):
        raise RequestError(f"--out {out}: choose a name that ends in .csv or .nc")
    if not out.parent.is_dir():
        raise RequestError(f"--out {out}: the folder {out.parent} does not exist")
    check_folder(out.parent)
    return out.suffix


@dataclass(frozen=True)
class Job:
    """What is to be simulated, and what to write.

    Attributes:
        network: the model.
        parameters: id → value of those that are set.
        times: float64 [time].
        trajectories: how many.
        seed: or None.
        engine: as `engine_of` returns it.
        options: of the native engine that were given, by name.
        symbols: columns, or None for the state.
        is_summary: write statistics instead of trajectories.
        suffix: of the file.
    """

    network: Any
    parameters: Mapping[str, float]
    times: Any
    trajectories: int
    seed: int | None
    engine: Any
    options: Mapping[str, str | None]
    symbols: tuple[str, ...] | None
    is_summary: bool
    suffix: str

    @property
    def is_deterministic(self) -> bool:
        """Whether it follows the rate equations."""
        from sbmlgrad.engines.base import is_deterministic

        return is_deterministic(self.engine)

    @property
    def count(self) -> int:
        """How many trajectories there will be."""
        return 1 if self.is_deterministic else self.trajectories

    @property
    def quantities(self) -> list[Quantity]:
        """What a summary is of: the columns that trajectories would be written with."""
        if self.symbols is not None:
            return [(symbol, None) for symbol in self.symbols]
        counts: list[Quantity] = [(species, "counts") for species in self.network.species_ids]
        return [*counts, *((symbol, None) for symbol in self.network.variable_ids)]


def check(job: Job) -> int:
    """Refuse what can be refused before anything is drawn; return the bytes of memory needed.

    Raises:
        RequestError: options that make no sense for this model, or too little memory.
    """
    from sbmlgrad.engines.memory_estimate import VARIABLE, check_bytes, job_bytes, summary_bytes
    from sbmlgrad.engines.readouts import ValuesAt

    points = len(job.times)
    if job.is_deterministic:
        if job.is_summary:
            raise RequestError("--summary: --engine ode has one solution and no statistics")
        return 8 * points * (len(job.network.species_ids) + len(job.network.variable_ids))
    lowered = _lowered(job)
    for option, value in job.options.items():
        if value is not None and lowered.is_timed:
            raise RequestError(
                f"--{option} {value}: model '{job.network.id}' has {lowered.clock_words}, and "
                "what happens between firings has a kernel of its own; leave the option out"
            )
    limit = f"The environment variable {VARIABLE} sets another limit."
    if not job.is_summary:
        numbers = points * len(job.symbols if job.symbols is not None else lowered.state_ids)
        needed = job_bytes(lowered, [ValuesAt(job.times)], job.trajectories)
        needed += 8 * numbers * job.trajectories * _COPIES[job.suffix]
        advice = "Give --summary, which keeps and writes statistics alone, or fewer --trajectories"
        advice = f"{advice} or steps in --times. {limit}"
        check_bytes(needed, f"{job.trajectories:,} trajectories and their file", advice)
        return needed
    if job.trajectories < 2:
        raise RequestError("--summary: statistics need two or more --trajectories")
    count = len(job.quantities)
    needed = summary_bytes(count, pairs=count, points=points, bins=BINS)
    what = f"statistics of {count} symbols at {points} times"
    check_bytes(needed, what, f"Name fewer --symbols, or give fewer steps in --times. {limit}")
    return needed


def _lowered(job: Job) -> LoweredNetwork:
    """Return what `simulate` will lower, which is then kept."""
    from sbmlgrad.codegen.lowering import lower
    from sbmlgrad.model.initial import initial_values
    from sbmlgrad.simulation_inputs import explicit_of

    given = explicit_of(job.network, job.parameters)
    return lower(job.network, initial_values(job.network, given, {}) if given else None)


def run(job: Job, progress: Callable[..., None] | None) -> Any:
    """Simulate; return an `Ensemble` or an `EnsembleSummary`.

    Raises:
        SbmlGradError: whatever the simulation refuses, or trajectories failed.
    """
    prepare(job.engine)
    return run_with(job, job.engine, progress)


def run_with(job: Job, engine: Any, progress: Callable[..., None] | None = None) -> Any:
    """Call `simulate` or `summarise` with an engine that need not be the job's own."""
    from sbmlgrad.simulation import simulate
    from sbmlgrad.summary import summarise

    options: dict[str, Any] = {
        "times": job.times,
        "trajectories": job.trajectories,
        "seed": job.seed,
        "engine": engine,
        "progress": progress,
    }
    if not job.is_summary:
        return simulate(job.network, job.parameters, **options)
    kept: dict[str, Any] = {"quantities": job.quantities, "covariances": False, "bins": BINS}
    return summarise(job.network, job.parameters, **options, **kept)


def prepare(engine: Any) -> None:
    """Import TensorFlow without its notes, if and only if that is the engine."""
    if type(engine).__name__ == "TensorFlow":
        # Where it is missing the engine itself says so, better than an import does.
        with suppress(ImportError):
            import_tensorflow_quietly()
