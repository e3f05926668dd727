"""Statistics and identities of whole engines: selections that are counts, and ways to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from small_networks import HEAD

import sbmlgrad as sg
from sbmlgrad.engines.base import Engine
from sbmlgrad.engines.lockstep import kernel as lockstep_kernel
from sbmlgrad.engines.lockstep import sampling as lockstep
from sbmlgrad.engines.readouts import AfterFirings, Readout, ValuesAt, WindowAverages
from sbmlgrad.engines.table import sampling as table
from stream_quality.checks import Check, Identity, binomial, chi_square, pooled
from stream_quality.numbers import PROPENSITIES

#: Times in single precision, and averages over windows, agree to this, however they are asked for.
TIMES_ROUNDED = 1e-5

#: Kernels and precisions of `Native` that are tried; what it refuses is left out and named.
CANDIDATES = (
    ("table", "float64"),
    ("lockstep", "float64"),
    ("tree", "float64"),
    ("table", "float32"),
    ("lockstep", "float32"),
)

#: A network with enough going on: binding, decay, a law that is no mass action.
MIXED = (
    HEAD
    + """
    substanceOnly species G in cell, P in cell, D in cell; G = 1; P = 0; D = 0;
    make = 20; bind = 0.02; free = 0.4; decay = 1; K = 15;
    J0: G => G + P; make*G*K/(K + D);
    J1: 2 P => D; bind*P*(P - 1);
    J2: D => 2 P; free*D;
    J3: P => ; decay*P;
"""
)

#: Output times of the identity checks, and the part of them that is asked for alone.
GRID = tuple(np.linspace(0.5, 10.0, 20).tolist())
PART = GRID[1:15:4]


def kernels() -> tuple[list[sg.engines.Native], list[str]]:
    """Return the kernels of the native engine, on one thread, and why others are left out."""
    found, left_out = [], []
    model = sg.load(MIXED)
    for kernel, dtype in CANDIDATES:
        try:
            engine = sg.engines.Native(threads=1, kernel=kernel, dtype=dtype)
            sg.simulate(model, times=[0.1], trajectories=1, seed=1, engine=engine)
        except sg.SbmlGradError as error:
            left_out.append(str(error))
        else:
            found.append(engine)
    return found, left_out


def source_network() -> sg.ReactionNetwork:
    """Return a network of reactions `=> Xj` at `PROPENSITIES`: its counts are the selections."""
    species = ", ".join(f"X{j} in cell" for j in range(len(PROPENSITIES)))
    lines = [f"X{j} = 0; k{j} = {float(a)!r};" for j, a in enumerate(PROPENSITIES)]
    lines += [f"J{j}: => X{j}; k{j};" for j in range(len(PROPENSITIES))]
    return sg.load(f"{HEAD} substanceOnly species {species};\n" + "\n".join(lines))


def selections(engine: Engine, seed: int, firings: int) -> tuple[list[Check], NDArray[np.int64]]:
    """Test selections and total times of an engine by a network whose counts are the selections.

    Args:
        engine: the engine.
        seed: of the streams.
        firings: how many, in trajectories of at most 10,000.

    Returns:
        The checks, and how often each reaction fired.
    """
    each = min(max(firings // 1000, 1), 10_000)
    cells = sg.simulate(
        source_network(),
        readouts=[AfterFirings((each,))],
        trajectories=firings // each,
        seed=seed,
        engine=engine,
    )
    final = np.asarray(cells.states[0])[:, 0]
    chosen, times = final[:, :-1].sum(axis=0).astype(np.int64), final[:, -1]
    n, name = int(chosen.sum()), engine.name
    checks = [
        binomial(f"{name}: reaction of propensity {a:.4g} fires", int(count), n, float(a))
        for count, a in zip(chosen, PROPENSITIES, strict=True)
    ]
    checks.append(chi_square(f"{name}: reactions together", *pooled(chosen, PROPENSITIES, n)))
    p = float(stats.kstest(times, stats.gamma(each).cdf).pvalue)
    words = f"mean {times.mean():.3f}"
    checks.append(Check(f"{name}: times of {each:,} firings, Gamma law", len(times), words, p))
    return checks, chosen


@dataclass(frozen=True)
class Way:
    """One way to ask for the same trajectories.

    Attributes:
        title: what is different.
        engine: that is asked.
        part: whether only a part of the points is asked for.
        splits: numbers of trajectories at which the batch is split.
        constants: (module, name, value) of the engine that are changed.
    """

    title: str
    engine: Engine
    part: bool = False
    splits: tuple[int, ...] = ()
    constants: tuple[tuple[object, str, object], ...] = ()


@contextmanager
def _changed(constants: Sequence[tuple[object, str, object]]) -> Iterator[None]:
    if not constants:
        yield
        return
    module, name, value = constants[0]
    with patch.object(module, name, value), _changed(constants[1:]):
        yield


def always_one() -> Callable[..., object]:
    """Return a rule for spells that looks at the lanes after every firing."""

    def next_spell(spell, stalled, lanes):
        return 1.0

    return next_spell


def counting_up() -> Callable[..., object]:
    """Return a rule for spells that get longer and longer, and start anew."""

    def next_spell(spell, stalled, lanes):
        return spell + 1.0 if spell < 19.0 else 1.0

    return next_spell


def _spells(rule: Callable[[], Callable[..., object]]) -> tuple[tuple[object, str, object]]:
    """Return the change that gives the lockstep kernel another rule."""
    functions = tuple(f for f in lockstep_kernel.LOCKSTEP if f.__name__ != "next_spell")
    return ((lockstep, "LOCKSTEP", (*functions, rule())),)


def ways(engine: sg.engines.Native) -> list[Way]:
    """Return the ways to ask a kernel that must not matter."""
    few = [
        Way("2 threads", replace(engine, threads=2)),
        Way("a batch split in three", engine, splits=(37, 100)),
        Way("a part of the points", engine, part=True),
        Way("2 threads, split, a part", replace(engine, threads=2), part=True, splits=(64,)),
    ]
    if engine.kernel == "table":
        few.append(Way("blocks of 5 trajectories", engine, constants=((table, "BLOCK", 5),)))
    if engine.kernel == "lockstep":
        lanes = ((lockstep, "LANES", 8), (lockstep, "FEW_LANES", 8))
        few += [
            Way("blocks of 41 trajectories", engine, constants=((lockstep, "LARGEST_BLOCK", 41),)),
            Way("8 lanes", engine, constants=lanes),
            Way("a look after every firing", engine, constants=_spells(always_one)),
            Way("spells of up to 19 firings", engine, constants=_spells(counting_up)),
        ]
    return few


READOUTS: dict[str, tuple[Readout, Readout | None]] = {
    "values": (ValuesAt(GRID), ValuesAt(PART)),
    "window averages": (WindowAverages(GRID), None),
    "states after firings": (AfterFirings((1, 10, 200, 500)), AfterFirings((10, 200))),
}


def sampled(way: Way, readout: Readout, trajectories: int, seed: int) -> NDArray[np.float64]:
    """Return what a way of asking gives, float64 [trajectory, point, column]."""
    model = sg.load(MIXED)
    bounds = [0, *way.splits, trajectories]
    rows = []
    with _changed(way.constants):
        for low, high in pairwise(bounds):
            cells = sg.simulate(
                model,
                readouts=[readout],
                trajectories=high - low,
                first_trajectory=low,
                seed=seed,
                engine=way.engine,
            )
            rows.append(np.asarray(cells.states[0]))
    return np.concatenate(rows)


def different(one: NDArray[np.float64], other: NDArray[np.float64]) -> int:
    """Return how many trajectories are not the same to the bit."""
    return int((one.view(np.int64) != other.view(np.int64)).any(axis=(1, 2)).sum())


def apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> int:
    """Return how many trajectories differ by more than times that single precision has rounded."""
    return int(
        (~np.isclose(one, other, rtol=TIMES_ROUNDED, atol=TIMES_ROUNDED)).any(axis=(1, 2)).sum()
    )


def identities(
    engines: Sequence[sg.engines.Native], trajectories: int, seed: int
) -> list[Identity]:
    """Compare ways to ask each kernel, and kernels with each other."""
    found = []
    for engine in engines:
        for kind, (readout, part) in READOUTS.items():
            plain = sampled(Way("", engine), readout, trajectories, seed)
            for way in ways(engine):
                asked, expected = readout, plain
                if way.part:
                    if part is None:
                        continue
                    asked = part
                    expected = plain[:, np.isin(readout.points, part.points)]
                # The lockstep kernel promises bits in double precision alone.
                is_rounded = engine.kernel == "lockstep" and engine.dtype == "float32"
                compared = apart if is_rounded and kind != "values" else different
                count = compared(expected, sampled(way, asked, trajectories, seed))
                how = f" (to {TIMES_ROUNDED:g})" if compared is apart else ""
                title = f"{engine.name}, {kind}{how}: {way.title}"
                found.append(Identity(title, trajectories, count))
    return found + between_kernels(engines, trajectories, seed)


def between_kernels(
    engines: Sequence[sg.engines.Native], trajectories: int, seed: int
) -> list[Identity]:
    """Compare kernels with the table-driven one, and with the executable specification.

    The tree adds propensities up in another order, single precision rounds its clocks, and the
    specification takes another logarithm: there the states must be the same.
    """
    found = []
    for engine in engines:
        if engine.kernel == "table":
            continue
        first = next(e for e in engines if e.kernel == "table" and e.dtype == engine.dtype)
        same = engine.kernel == "lockstep" and engine.dtype == "float64"
        for kind, (readout, _) in READOUTS.items():
            if kind == "window averages" and not same:
                continue
            one = sampled(Way("", first), readout, trajectories, seed)
            other = sampled(Way("", engine), readout, trajectories, seed)
            if not same and kind == "states after firings":
                one, other = (np.ascontiguousarray(a[:, :, :-1]) for a in (one, other))
            # A tie needs two sums that agree in 15 digits; a time is rounded more coarsely.
            allowed = trajectories // 100 if engine.dtype == "float32" else 0
            title = f"{first.name} and {engine.name}, {kind}"
            found.append(Identity(title, trajectories, different(one, other), allowed))
    few = max(trajectories // 10, 1)
    for kind in ("values", "states after firings"):
        readout = READOUTS[kind][0]
        one = sampled(Way("", engines[0]), readout, few, seed)
        other = sampled(Way("", sg.engines.Reference()), readout, few, seed)
        one, other = (np.ascontiguousarray(a[:, :, :3]) for a in (one, other))
        title = f"{engines[0].name} and Reference(), {kind}"
        found.append(Identity(title, few, different(one, other)))
    return found
