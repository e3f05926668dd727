"""Are the random streams what engines take them for? Statistics over many draws, and identities.

Run `python validation/streams.py [--draws N] [--out FILE]`: waiting times against Exp(1), selection
among propensities that differ by up to 10^8, the bits of the numbers, independence of u and v and
of neighbouring draws, trajectories, seeds and purposes, all pairs of 10^4 streams, selections of
whole engines, and ways to ask an engine that must give the same bits. `--plant NAME` puts a fault
into the generator, which what comes before whole engines must find. Exit code 1: a check failed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from stream_quality.checks import Check, Identity, failures, tables
from stream_quality.engines import identities, kernels, selections
from stream_quality.kernels import PLANTS, stream_module
from stream_quality.numbers import bits, firings, many_streams, neighbours

#: Streams of which all pairs are correlated.
STREAMS = 10_000

#: Trajectories of an identity check.
TRAJECTORIES = 1000

#: Seeds of the parts of a campaign follow each other at this distance, so that none is used twice.
SEEDS_APART = 10**9


def numbers(
    draws: int, streams: int, seed: int, plant: str | None = None
) -> dict[str, list[Check]]:
    """Test the numbers themselves; returns title → checks.

    Args:
        draws: of each test but that of many streams.
        streams: of which all pairs are correlated.
        seed: of the first test.
        plant: key of `stream_quality.kernels.PLANTS`, or None.
    """
    module = stream_module(plant)
    seeds = [seed + SEEDS_APART * i for i in range(5)]
    return {
        "Waiting times and selections, double precision": firings(module, seeds[0], draws),
        "Waiting times and selections, streams of single precision": firings(
            module, seeds[1], draws, narrow=True
        ),
        "Bits": bits(module, seeds[2], draws),
        "Independence of pairs": neighbours(module, seeds[3], draws),
        "Many streams": many_streams(module, seeds[4], streams),
    }


def engines(
    draws: int, trajectories: int, seed: int
) -> tuple[dict[str, list[Check]], list[Identity], list[str]]:
    """Test whole engines.

    Args:
        draws: firings of each.
        trajectories: of each identity check.
        seed: of the streams; the kernels of one precision share it, and so their firings.

    Returns:
        Title → checks, identities, and what was left out.
    """
    found, left_out = kernels()
    sections: dict[str, list[Check]] = {}
    same: list[Identity] = []
    first: dict[str, np.ndarray] = {}
    for engine in found:
        checks, chosen = selections(engine, seed, draws)
        expected = first.setdefault(engine.dtype, chosen)
        if engine.kernel == "table":
            sections[f"Selections of whole engines, {engine.dtype}"] = checks
            continue
        # Other kernels have the same firings: their counts are no new evidence, but must agree.
        title = f"counts of {len(chosen)} reactions after {draws:,} firings: table and "
        same.append(Identity(title + engine.name, len(chosen), int((chosen != expected).sum())))
    return sections, same + identities(found, trajectories, seed), left_out


def report(
    sections: dict[str, list[Check]],
    same: list[Identity],
    left_out: list[str],
    options: argparse.Namespace,
) -> str:
    """Return the whole report as Markdown."""
    title = "# Random streams: statistics and identities"
    how = f"{options.draws:,} draws, seed {options.seed}"
    if options.plant:
        how += f", with the planted fault `{options.plant}`"
    lines = [title, "", how + ".", "", tables(sections, same)]
    if left_out:
        lines += ["Left out, since the engine refuses:", "", *(f"- {why}" for why in left_out), ""]
    return "\n".join(lines)


def arguments(words: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=lambda n: int(float(n)), default=10**8)
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--trajectories", type=int, default=TRAJECTORIES, help="of identities")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=sorted(PLANTS), help="only the numbers are tested then")
    parser.add_argument("--only-numbers", action="store_true", help="leave whole engines out")
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    options = parser.parse_args(words)
    if options.draws < 10**5:
        parser.error("--draws: at least 100,000, so that tails can be judged")
    return options


def main(words: list[str] | None = None) -> int:
    """Run the campaign.

    Args:
        words: the command line; None takes that of the process.
    """
    options = arguments(words)
    sections = numbers(options.draws, options.streams, options.seed, options.plant)
    same: list[Identity] = []
    left_out: list[str] = []
    if not (options.plant or options.only_numbers):
        # Seeds of their own, so that whole engines give new evidence.
        seed = options.seed + 5 * SEEDS_APART
        more, same, left_out = engines(options.draws, options.trajectories, seed)
        sections |= more
    text = report(sections, same, left_out, options)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    failed = failures(sections, same)
    if failed:
        print("failed: " + "; ".join(failed), file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
