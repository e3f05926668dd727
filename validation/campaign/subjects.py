"""What the cross-check campaign is about: shipped models, stochastic models, suite cases."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from biomodels import ask_ours
from numpy.typing import NDArray
from ssa_natural import MOST_CUTS
from suites.dsmts_case import read_case, select

ROOT = Path(__file__).resolve().parents[2]

#: Groups, in the order of tables and figures, and what to call them.
SHIPPED, NATURAL, SUITE = "shipped", "natural", "suite"
TITLES: Mapping[str, str] = {
    SHIPPED: "Shipped models",
    NATURAL: "BioModels meant for stochastic simulation",
    SUITE: "Stochastic test suite",
}

#: Shipped model → last time, in its unit; counts move until then. Others: a horizon is sought.
ENDS: Mapping[str, float] = {
    "birth_death": 30.0,
    "dimerization": 5.0,
    "gating_three_states": 20.0,
    "gating_two_states": 10.0,
    "immigration_death": 30.0,
    "ion_channel": 5.0,
    "oscillator": 30.0,
    "osmotic_shock": 40.0,
    "sir": 14.0,
    "telegraph": 60.0,
}

#: Models with a law that has no meaning for some counts, so that sbmlgrad refuses to go on there:
#: model → reaction → what its law does, as the files say. A failure elsewhere is one of sbmlgrad.
MEANINGLESS: Mapping[str, Mapping[str, str]] = {
    "BIOMD0000000488": {
        "AbetaPlaqueFormation1": "takes two AbetaDimer at kpf AbetaDimer^2 / 2, also of one",
        "AbetaAggregation1": "takes two Abeta at kaggAbeta Abeta^2 / 2, also of one",
    },
    "BIOMD0000000587": {
        "_2___R____R2": "takes two R at yeast gamma R^2, also of one",
    },
    "BIOMD0000001030": {
        "effector_production": "divides by Regulatory_cells, also where none is left",
    },
}

#: What a quick look takes of the groups that are long.
QUICK: Mapping[str, frozenset[str]] = {
    NATURAL: frozenset(f"BIOMD000000{n}" for n in ("0112", "0178", "0267", "0462", "0875", "1022")),
    SUITE: frozenset(f"000{n}" for n in ("01", "20", "24", "28", "30", "33", "37", "41")),
}

#: Level of the suite's documents, of which every case has one.
LEVEL = "l3v1"

#: Output times that are compared, after time 0; equal steps, which every referee can take.
POINTS = 10


@dataclass(frozen=True)
class Subject:
    """One network and when to look at it.

    Attributes:
        group: one of `TITLES`.
        name: id of the model or number of the case.
        document: path of the SBML file.
        end: last time, in the model's unit.
        options: of `sbmlgrad.load`, where the file needs them.
        trouble: why it cannot be simulated, or nothing.
    """

    group: str
    name: str
    document: str
    end: float
    options: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""

    @property
    def times(self) -> NDArray[np.float64]:
        """Where to compare, float64 [time]."""
        return np.linspace(0.0, self.end, POINTS + 1)[1:]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def files(group: str, folder: Path, *, quick: bool) -> list[tuple[str, Path]]:
    """Return (name, document) of all members of a group, or of a few for a quick look.

    Args:
        group: one of `TITLES`.
        folder: of the models, or the suite's folder `stochastic`.
        quick: take only the members that `QUICK` names.
    """
    if group == SUITE:
        cases = [read_case(path) for path in select(folder, "all")]
        # What is newer than the level has another one.
        levels = [LEVEL if LEVEL in case.documents else min(case.documents) for case in cases]
        pairs = zip(cases, levels, strict=True)
        found = [(case.number, case.documents[level]) for case, level in pairs]
    else:
        found = [(path.stem, path) for path in sorted(folder.glob("*.xml"))]
    few = QUICK.get(group)
    return [pair for pair in found if not quick or few is None or pair[0] in few]


def subject_of(group: str, name: str, document: Path, limit_s: float) -> Subject:
    """Return what is to be compared of a document; a horizon is sought where none is given.

    Args:
        group: one of `TITLES`.
        name: of the subject.
        document: its file.
        limit_s: wall-clock limit of a search for a horizon, in seconds.
    """
    path = str(document.resolve())
    if group == SUITE:
        return Subject(group, name, path, read_case(document.parent).end)
    if group == SHIPPED and name in ENDS:
        return Subject(group, name, path, ENDS[name])
    return _searched(group, name, document, limit_s)


def _searched(group: str, name: str, document: Path, limit_s: float) -> Subject:
    """Return a subject whose horizon has a fair number of firings, as in `ssa_natural`."""
    seed, longest = zlib.crc32(name.encode()) >> 1, None
    last: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for _ in range(1 + MOST_CUTS):
        found, values = ask_ours(document, 20, seed, limit_s, longest)
        last = found["attempts"][-1] if found["attempts"] else {}
        if values is not None:
            path = str(document.resolve())
            return Subject(group, name, path, last["horizon"], last["options"])
        if last.get("outcome") != "failed" or "horizon" not in last:
            break
        # A law that ends a model's time early does not end its use.
        longest = 1.5 * last["horizon"] / 10.0
    said = (last.get("outcome"), *last.get("codes", ()), last.get("message"))
    why = ": ".join(str(part) for part in said if part) or found.get("ending", "no horizon")
    return Subject(group, name, str(document.resolve()), 0.0, trouble=why)


def chosen(found: Iterable[tuple[str, Path]], group: str, only: frozenset[str]) -> list[Any]:
    """Return the pairs that `--only` names, by name or by group; all if it names nothing."""
    return [pair for pair in found if not only or group in only or pair[0] in only]
