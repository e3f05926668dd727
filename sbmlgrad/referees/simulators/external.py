"""What the simulators of other projects have in common: a script in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import RequestError
from sbmlgrad.referees.base import RefereeResult, require
from sbmlgrad.referees.moments import Moments, moments
from sbmlgrad.referees.process import WORKERS, run_worker, taken
from sbmlgrad.referees.sampling import is_kept
from sbmlgrad.referees.waiting import WAITED_FOR

FloatArray = NDArray[np.float64]

#: Seconds that an interpreter has to say whether it can import something.
LOOK_LIMIT_S = 60.0

#: What an interpreter writes before its answer, so that no other program is taken for one.
TOKEN = "sbmlgrad-asks"


@dataclass(frozen=True)
class External:
    """A simulator of another project that samples in a process of its own.

    A referee states its name, packages, worker and how it is installed, and gives its own
    `request` where the worker needs more than a seed.

    Attributes:
        python: interpreter of the environment it is installed in; None for this one.
        name: in `validate(against=...)`.
        install_with: the command that installs it.
        packages: names to import.
        worker: file name of its script in `workers`.
        seed_bits: of a seed that it takes.
        count_limit: counts from here on it cannot hold; none that is known.
    """

    python: str | None = None
    name: str = field(init=False)
    install_with: str = field(init=False)
    packages: tuple[str, ...] = field(init=False)
    worker: str = field(init=False)
    seed_bits: int = field(default=32, init=False)
    count_limit: float = field(default=math.inf, init=False)

    def is_available(self) -> bool:
        """Tell whether its packages are installed, without loading them."""
        return is_installed(self.packages, self.python)

    def request(
        self, document: bytes, species: Sequence[str], times: FloatArray
    ) -> Mapping[str, Any]:
        """Return what the worker needs beside the seed and the arguments of `sampled`."""
        del document, species, times
        return {}

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: FloatArray,
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        """Sample trajectories in a process of their own; arguments as for `Referee.sample`."""
        require([self])
        return sampled(
            self.worker,
            {"seed": folded(seed, self.seed_bits), **self.request(document, species, times)},
            document,
            species,
            times,
            trajectories,
            referee=self.name,
            timeout_s=timeout_s,
            python=self.python,
        )


def is_installed(packages: Sequence[str], python: str | None) -> bool:
    """Tell whether an interpreter finds packages, without loading them.

    Args:
        packages: names to import.
        python: interpreter of their environment; None for this one.

    Raises:
        RequestError: that is no Python.
    """
    if python is None:
        return all(importlib.util.find_spec(name) is not None for name in packages)
    look = (
        "import importlib.util as u, sys; "
        f"print({TOKEN!r}, all(u.find_spec(n) is not None for n in sys.argv[1:]))"
    )
    advice = "give the path of the Python that the referees are installed in (--peers-python)"
    try:
        done = subprocess.run(
            [python, "-c", look, *packages],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LOOK_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RequestError(
            f"the interpreter '{python}' could not be asked for {', '.join(packages)}: {error}; "
            f"{advice}"
        ) from error
    # What an environment prints when it starts comes before.
    answer = done.stdout.decode("utf-8", "replace").split()[-2:]
    if answer[:1] != [TOKEN]:
        raise RequestError(
            f"'{python}' is no Python that works: asked to run one line, it ended with exit code "
            f"{done.returncode} and without the answer; {advice}"
        )
    return answer == [TOKEN, "True"]


def sampled(
    worker: str,
    request: Mapping[str, Any],
    document: bytes,
    species: Sequence[str],
    times: FloatArray,
    trajectories: int,
    *,
    referee: str,
    timeout_s: float,
    python: str | None,
) -> RefereeResult:
    """Let a worker sample and return its result.

    Args:
        worker: file name of the script in `workers`.
        request: what it needs besides the arguments below.
        document: the SBML document.
        species: ids to report.
        times: float64 [time].
        trajectories: how many.
        referee: its name.
        timeout_s: wall-clock limit in seconds.
        python: interpreter to run it with; None for this one.

    Raises:
        RequestError: fewer than two trajectories.
        RefusedError, RefereeError: as `run_worker` says.
    """
    if trajectories < 2:
        raise RequestError(f"trajectories={trajectories}: a variance needs at least two")
    keep = is_kept(trajectories, len(times), len(species))
    full = {
        **request,
        "species": list(species),
        "times": np.asarray(times, dtype=np.float64).tolist(),
        "trajectories": int(trajectories),
        "keep": keep,
        "keep_waits": is_kept(trajectories, 1, len(WAITED_FOR)),
    }
    start = time.perf_counter()
    result = run_worker(
        WORKERS / worker,
        full,
        document,
        referee=referee,
        timeout_s=timeout_s,
        python=python or sys.executable,
    )
    seconds = time.perf_counter() - start
    described = ("version", "settings", "trajectories", "sampling_s")
    sampled_by, settings, number, each_s = taken(result, described, referee, WORKERS / worker)
    if keep:
        (counts,) = taken(result, ["counts"], referee, WORKERS / worker)
        found = moments([counts])
    else:
        names = ("mean", "variance", "fourth_moment")
        counts = None
        mean, variance, fourth = taken(result, names, referee, WORKERS / worker)
        found = Moments(mean, variance, fourth, int(number))
    return RefereeResult(
        name=referee,
        version=str(sampled_by),
        settings=json.loads(str(settings)),
        mean=found.mean,
        variance=found.variance,
        fourth_moment=found.fourth_moment,
        trajectories=int(number),
        seconds=seconds,
        counts=counts,
        startup_s=max(0.0, seconds - float(each_s) * trajectories),
        waits=result.get("waits"),
    )


def folded(seed: int, bits: int = 32) -> int:
    """Return a seed of few bits that every bit of a larger one counts for.

    Args:
        seed: >= 0.
        bits: that the software takes, at most 32.
    """
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint32)[0]) >> (32 - bits)
