"""What the workers of this folder share; runs in the referees' Python, needs only NumPy.

A worker is started as `python NAME_worker.py request.json` in a folder of its own, and leaves
`result.npz` there. Those of other simulators never import sbmlgrad.
"""

import json
import os
import sys
from typing import NoReturn

import numpy as np

#: Trajectories that are summed at a time; the first as many also give the centre of the sums.
BATCH = 256

#: Exit code that says that the simulator refuses the network.
REFUSED = 77


def read_request():
    """Return the request named on the command line, and the text of the document."""
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    with open(request["document"], encoding="utf-8") as file:
        return request, file.read()


def refuse(reason) -> NoReturn:
    """End, saying that the simulator does not simulate such a network."""
    print(f"refused: {' '.join(str(reason).split())}", file=sys.stderr)
    sys.exit(REFUSED)


def seeds(seed, number, bits=31):
    """Return seeds of single trajectories, for simulators that take one each."""
    return (np.random.SeedSequence(seed).generate_state(number) >> (32 - bits)).tolist()


def write_result(request, states, version, settings, waits=None):
    """Sample and write what was asked for.

    Args:
        request: as read.
        states: yields counts [time, species] of one trajectory after the other. What the first
            takes is not counted as sampling, since it may load or compile.
        version: of the software.
        settings: name → text.
        waits: filled as `states` is read, one row a trajectory; empty or None where there are none.
    """
    clock = []
    states = timed(states, clock)
    if request["keep"]:
        counts = np.array(list(states), dtype=np.float64)
        shape = (request["trajectories"], len(request["times"]), len(request["species"]))
        if counts.shape != shape:
            sys.exit(f"sampled {counts.shape}, not [trajectory, time, species] {shape}")
        if not np.isfinite(counts).all():
            sys.exit("a trajectory holds a count that is not finite")
        result = {"counts": counts, "trajectories": len(counts)}
    else:
        result = moments(states)
    if waits:
        result["waits"] = np.array(waits, dtype=np.float64)
    np.savez(
        request["result"],
        **result,
        version=version,
        settings=json.dumps(settings),
        # Of one trajectory.
        sampling_s=(clock[-1] - clock[0]) / max(1, len(clock) - 1),
    )


def timed(states, clock):
    """Yield the same, noting when each one came."""
    for state in states:
        clock.append(processor_time())
        yield state


def processor_time():
    """Return the processor time of this process and of its children that ended, in seconds."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def batches(states, size):
    """Gather trajectories [time, species] into arrays [trajectory, time, species]."""
    waiting = []
    for state in states:
        waiting.append(state)
        if len(waiting) == size:
            yield np.array(waiting)
            waiting = []
    if waiting:
        yield np.array(waiting)


def moments(states):
    """Return mean, sample variance and fourth central moment, each [time, species].

    The sums are taken about the mean of the first batch, since raw sums would cancel.
    """
    n, centre, sums = 0, np.nan, [0.0] * 4
    for batch in batches(states, BATCH):
        centre = centre if n else batch.mean(axis=0)
        distance = batch - centre
        sums = [total + (distance**k).sum(axis=0) for k, total in enumerate(sums, start=1)]
        n += len(batch)
    shift, second, third, fourth = (total / n for total in sums)
    return {
        "mean": centre + shift,
        "variance": (second - shift**2) * (n / (n - 1)),
        "fourth_moment": fourth - 4 * shift * third + 6 * shift**2 * second - 3 * shift**4,
        "trajectories": n,
    }
