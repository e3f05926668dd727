"""The jobs of the gradient benchmark: shipped models as plain data, with a statistic of each.

The statistic is the same for every contender: the sum over five windows of the average of one
species, whose mean over the ensemble is differentiated with respect to every parameter.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[3] / "models" / "sbml"

WINDOWS = 5

_DIMERISATION = """
    A + B -> C : k1
    C -> A + B : k2
"""

_ION_CHANNEL = """
    C -> O : c_o
    O -> C : o_c
    O -> I : o_i
"""

_OSCILLATOR = """
    A + DA -> DA_prime : gamma_A
    DA_prime -> A + DA : theta_A
    A + DR -> DR_prime : gamma_R
    DR_prime -> A + DR : theta_R
    DA_prime -> DA_prime + MA : alpha_A_prime
    DA -> DA + MA : alpha_A
    DR_prime -> DR_prime + MR : alpha_R_prime
    DR -> DR + MR : alpha_R
    MA -> : delta_MA
    MR -> : delta_MR
    MA -> MA + A : beta_A
    MR -> MR + R : beta_R
    A + R -> C : gamma_C
    A -> : delta_A
    R -> : delta_R
    C -> R : delta_A
"""


@dataclass(frozen=True)
class Channel:
    """A one-way mass-action reaction.

    Attributes:
        reactants: ids; the propensity is the parameter times each one's count.
        products: ids.
        parameter: id.
    """

    reactants: tuple[str, ...]
    products: tuple[str, ...]
    parameter: str


@dataclass(frozen=True)
class Job:
    """A network, its statistic and its horizon.

    Attributes:
        name: as on the command line.
        title: as in tables.
        document: name of the shipped model.
        channels: all one-way.
        watched: the species whose window averages are added up.
        end: end of the last window; the first begins at 0.
    """

    name: str
    title: str
    document: str
    channels: tuple[Channel, ...]
    watched: str
    end: float

    @property
    def path(self) -> Path:
        """The document."""
        return SHIPPED / f"{self.document}.xml"

    @property
    def edges(self) -> tuple[float, ...]:
        """Of the windows."""
        return tuple(self.end * i / WINDOWS for i in range(WINDOWS + 1))


def parse(text: str) -> tuple[Channel, ...]:
    """Return the channels of lines such as `A + B -> C : k`."""

    def side(part: str) -> tuple[str, ...]:
        return tuple(re.findall(r"\w+", part))

    channels = []
    for line in text.strip().splitlines():
        reaction, _, parameter = line.partition(":")
        left, _, right = reaction.partition("->")
        channels.append(Channel(side(left), side(right), parameter.strip()))
    return tuple(channels)


#: Ends such that a trajectory of the dimer and of the short oscillator has 250 firings or so.
JOBS = {
    job.name: job
    for job in (
        Job("dimerisation", "dimerisation", "dimerization", parse(_DIMERISATION), "C", 6.5),
        Job("ion_channel", "ion channel", "ion_channel", parse(_ION_CHANNEL), "O", 10.0),
        Job("oscillator", "oscillator, short", "oscillator", parse(_OSCILLATOR), "R", 0.3),
        Job("oscillator_1", "oscillator to t = 1", "oscillator", parse(_OSCILLATOR), "R", 1.0),
        Job(
            "oscillator_15",
            "oscillator to t = 15",
            "oscillator",
            parse(_OSCILLATOR),
            "R",
            15.0,
        ),
    )
}


@dataclass(frozen=True)
class Plain:
    """A job as a worker reads it, without any library of ours.

    Attributes:
        species: ids.
        counts: at time 0, one a species.
        parameters: values.
        reactants: places of the reactants in `species`, one tuple a reaction.
        products: likewise.
        constants: place of its parameter in `parameters`, one a reaction.
        watched: place in `species`.
        edges: of the windows.
        steps: firings that no trajectory is expected to exceed.
        document: path of the same network as SBML.
    """

    species: tuple[str, ...]
    counts: tuple[int, ...]
    parameters: tuple[float, ...]
    reactants: tuple[tuple[int, ...], ...]
    products: tuple[tuple[int, ...], ...]
    constants: tuple[int, ...]
    watched: int
    edges: tuple[float, ...]
    steps: int
    document: str


def plain(job: Job, steps: int) -> Plain:
    """Return a job as plain data, with ids, counts and values of its document."""
    import sbmlgrad as sg

    model = sg.load(job.path)
    start = sg.simulate(model, times=[0.0], trajectories=1, seed=0)
    species = tuple(model.species_ids)

    def places(ids: Sequence[str]) -> tuple[int, ...]:
        return tuple(species.index(i) for i in ids)

    return Plain(
        species=species,
        counts=tuple(int(n) for n in start.counts[0, 0]),
        parameters=tuple(float(v) for v in model.parameter_values),
        reactants=tuple(places(c.reactants) for c in job.channels),
        products=tuple(places(c.products) for c in job.channels),
        constants=tuple(model.parameter_ids.index(c.parameter) for c in job.channels),
        watched=species.index(job.watched),
        edges=job.edges,
        steps=steps,
        document=str(job.path),
    )


def write(job: Job, steps: int, folder: Path) -> Path:
    """Write `job.json` into a folder of its own; return that folder."""
    own = folder / f"{job.name}-{steps}"
    own.mkdir(parents=True, exist_ok=True)
    data = vars(plain(job, steps))
    (own / "job.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return own


def room(most_firings: int) -> int:
    """Return the firings to make room for, given the most that a large sample had."""
    return math.ceil(1.15 * most_firings) + 10
