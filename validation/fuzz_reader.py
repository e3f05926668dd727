"""Fuzz the reader: damaged model files must give issues, quickly, and never anything else.

    python validation/fuzz_reader.py --seeds DIR [--seeds DIR ...] --minutes 60 --out DIR

Every file is a mutation of a real one: flipped or moved bytes, numbers made extreme, ids swapped,
elements deleted, repeated, or taken from another file. A worker process checks and loads it with
memory and time limits. What raises something else than `SbmlGradError`, takes longer than the
limit, or kills the worker is kept in `--out`, with a line in `failures.txt`.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import random
import re
import resource
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

_NUMBERS = ["0", "-1", "1e308", "-1e308", "1e-320", "NaN", "INF", "-INF", "1e999", "", "x", "0x1"]
_NUMBERS += ["99999999999999999999", "1.5", "-0", "1e15", "2147483648", "true", "e"]
_VALUE = re.compile(rb'="([^"<]*)"')
_ELEMENT = re.compile(rb"<(\w+)\b[^<>]*?(?:/>|>(?:[^<]|<(?!/?\1\b))*?</\1>)", re.DOTALL)

Mutation = Callable[[random.Random, bytes, bytes], bytes]


def _flip(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 200) :]


def _repeat(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.randint(1, 500)]
    return data[:start] + piece * rng.choice([2, 2, 3, 50]) + data[start:]


def _number(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    found = list(re.finditer(rb"(?<=[\"> ])[-+]?\d[\d.eE+-]*(?=[\"< ])", data))
    if not found:
        return data
    place = rng.choice(found)
    return data[: place.start()] + rng.choice(_NUMBERS).encode() + data[place.end() :]


def _value(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    found = list(_VALUE.finditer(data))
    if len(found) < 2:
        return data
    target, source = rng.sample(found, 2)
    return data[: target.start(1)] + source.group(1) + data[target.end(1) :]


def _element(rng: random.Random, data: bytes, other: bytes) -> bytes:
    found = list(_ELEMENT.finditer(data))
    donors = list(_ELEMENT.finditer(rng.choice([data, other])))
    if not found or not donors:
        return data
    place, donor = rng.choice(found), rng.choice(donors)
    kind = rng.randrange(4)
    if kind == 0:
        return data[: place.start()] + data[place.end() :]
    if kind == 1:
        return data[: place.end()] + place.group(0) * rng.choice([1, 1, 20]) + data[place.end() :]
    if kind == 2:
        return data[: place.start()] + donor.group(0) + data[place.end() :]
    return data[: place.end()] + donor.group(0) + data[place.end() :]


def _nest(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    found = list(re.finditer(rb"<ci>[^<]*</ci>", data))
    if not found:
        return data
    place = rng.choice(found)
    depth = rng.choice([2, 60, 300])
    name = rng.choice([b"minus", b"exp", b"not", b"plus", b"abs", b"factorial"])
    wrapped = (b"<apply><" + name + b"/>") * depth + place.group(0) + b"</apply>" * depth
    return data[: place.start()] + wrapped + data[place.end() :]


MUTATIONS: tuple[Mutation, ...] = (_flip, _cut, _repeat, _number, _value, _element, _nest)


def mutated(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Return a damaged copy of a document; structural damage is likelier than broken XML."""
    weights = (1, 1, 1, 4, 5, 6, 1)
    for mutation in rng.choices(MUTATIONS, weights, k=rng.choice([1, 1, 2, 4])):
        data = mutation(rng, data, other) or data
    return data


def _work(pipe: Connection, memory: int) -> None:
    """Check and load what comes through the pipe; answer with None or a traceback."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    import sbmlgrad as sg

    # The first call imports everything.
    sg.check("<sbml/>")
    pipe.send(None)
    while True:
        data = pipe.recv_bytes()
        try:
            text = data.decode("utf-8", errors="surrogateescape")
            for call in (sg.check, sg.load):
                with contextlib.suppress(sg.SbmlGradError):
                    call(text)
            pipe.send(None)
        except BaseException:
            pipe.send(traceback.format_exc())


class _Worker:
    """A worker process that is started anew whenever it dies or hangs."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._start()

    def _start(self) -> None:
        self._pipe, there = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_work, args=(there, self._memory))
        self._process.start()
        there.close()
        self._pipe.recv()

    def fault_of(self, data: bytes, limit: float) -> str | None:
        """Return what went wrong with a document, or None."""
        self._pipe.send_bytes(data)
        try:
            if self._pipe.poll(limit):
                return self._pipe.recv()
            fault = f"took longer than {limit:g} s"
        except EOFError:
            self._process.join()
            fault = f"the process died with exit code {self._process.exitcode}"
        self.stop()
        self._start()
        return fault

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz for the time given; return 1 if anything failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=Path, action="append", required=True)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--limit", type=float, default=10.0, help="seconds for one document")
    parser.add_argument("--memory", type=int, default=6 * 2**30, help="bytes of address space")
    parser.add_argument("--largest", type=int, default=200_000, help="bytes of a seed file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    files = sorted(f for folder in options.seeds for f in folder.rglob("*.xml"))
    seeds = [f.read_bytes() for f in files if f.stat().st_size <= options.largest]
    if not seeds:
        sys.exit(f"--seeds: no .xml file of at most {options.largest} bytes there")
    options.out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(options.seed)
    worker = _Worker(options.memory)
    end = time.monotonic() + 60.0 * options.minutes
    tried = failed = 0
    try:
        while time.monotonic() < end:
            data = mutated(rng, rng.choice(seeds), rng.choice(seeds))
            fault = worker.fault_of(data, options.limit)
            tried += 1
            if fault is not None:
                failed += 1
                name = f"{options.seed}-{tried}.xml"
                (options.out / name).write_bytes(data)
                with (options.out / "failures.txt").open("a") as log:
                    log.write(f"{name}: {fault}\n")
                print(f"{name}: {fault.strip().splitlines()[-1]}", flush=True)
            if tried % 5000 == 0:
                print(f"{tried} files, {failed} failures", flush=True)
    finally:
        worker.stop()
    print(f"{tried} files, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    sys.exit(main())
