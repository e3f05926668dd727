"""The printed noise is that of the streams, bit for bit; the printed loop is what it says."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_jobs import versatile

from sbmlgrad.codegen.kernel_laws import kernel_laws
from sbmlgrad.codegen.kernel_modules import printed_function
from sbmlgrad.codegen.lockstep_single import lockstep_source_single
from sbmlgrad.codegen.lockstep_source import LockstepKind, lockstep_source
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.noise_source import noise_source
from sbmlgrad.engines.random import (
    FIRINGS,
    LARGEST_TRAJECTORY,
    narrow_pair,
    standard_exponential,
    standard_exponential_single,
    uniform_pair,
)

SEEDS = [0, 1, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 1234567890123456789]
DRAWS = [0, 1, 2, 3, 2**31, 2**32 - 1, 2**32, 2**33 + 1, 2**62]
TRAJECTORIES = [0, 1, 7, 2**31, LARGEST_TRAJECTORY]
ADDRESSES = [(s, d, t) for s in SEEDS for d in DRAWS for t in TRAJECTORIES]


def ran(lines: list[str], **names) -> dict:
    exec("\n".join(lines), {"np": np}, names)
    return names


@pytest.fixture(autouse=True)
def _words_wrap():
    with np.errstate(over="ignore"):
        yield


def test_noise_is_that_of_the_streams_bit_for_bit() -> None:
    noise = noise_source()
    for seed, draw, trajectory in ADDRESSES:
        address = np.uint64(seed), np.uint64(draw), np.uint64(trajectory)
        names = ran(
            [*noise.once, *noise.each], seed=address[0], draw=address[1], trajectory=address[2]
        )
        u, v = uniform_pair(*address, np.uint64(FIRINGS))
        assert names["v"] == v
        assert names["exponential"] == standard_exponential(u)


def test_noise_of_single_precision_begins_with_the_bits_of_its_streams() -> None:
    noise = noise_source()
    for seed, pair, trajectory in ADDRESSES:
        names = ran(
            [*noise.once, *noise.pair],
            seed=np.uint64(seed),
            draw=np.uint64(pair),
            trajectory=np.uint64(trajectory),
        )
        for half in (0, 1):
            draw = np.uint64((2 * pair + half) % 2**64)
            u, v = narrow_pair(np.uint64(seed), draw, np.uint64(trajectory))
            # The 53 bits begin with these 32; u is counted from 1.
            leading_v = np.floor(v * 2.0**32)
            leading_u = np.floor((u - 2.0**-53) * 2.0**32)
            found_u, found_v = names[f"u{half}"], names[f"v{half}"]
            assert found_u.dtype == found_v.dtype == np.float32
            assert found_v == np.float32(leading_v) * np.float32(2.0**-32)
            assert found_u == np.float32(leading_u + 1.0) * np.float32(2.0**-32)
            assert 0.0 < found_u <= 1.0


def test_waiting_times_of_single_precision_are_those_of_its_function() -> None:
    noise = noise_source()
    for u in np.float32([2.0**-32, 1e-9, 1e-3, 0.3, 0.5, 0.7, 0.99, 1.0 - 2.0**-24, 1.0]):
        found = ran(list(noise.single), u=u)["exponential"]
        assert found.dtype == np.float32
        assert found == standard_exponential_single(u)
        np.testing.assert_allclose(found, -np.log(np.float64(u)), rtol=3e-7)


def test_compiled_noise_has_the_same_bits() -> None:
    noise = noise_source()
    source = "\n".join(
        [
            "@njit(error_model='numpy')",
            "def printed_noise(seed, draw, trajectory):",
            *("    " + line for line in (*noise.once, *noise.each, *noise.pair)),
            "    return exponential, v, u0, v0, u1, v1",
        ]
    )
    signature = "Tuple((f8, f8, f4, f4, f4, f4))(u8, u8, u8)"
    compiled = printed_function(source + "\n", "printed_noise", signature)
    for seed, draw, trajectory in ADDRESSES:
        address = np.uint64(seed), np.uint64(draw), np.uint64(trajectory)
        names = ran(
            [*noise.once, *noise.each, *noise.pair],
            seed=address[0],
            draw=address[1],
            trajectory=address[2],
        )
        found = compiled(*address)
        assert found == tuple(names[n] for n in ("exponential", "v", "u0", "v0", "u1", "v1"))


KINDS = [
    LockstepKind(),
    LockstepKind(by_firings=True),
    LockstepKind(short_of=True),
    LockstepKind(averages=True),
]


@pytest.mark.parametrize("printed", [lockstep_source, lockstep_source_single])
def test_one_text_for_one_job(printed) -> None:
    lowered = lower(versatile())
    laws = kernel_laws(lowered)
    texts = {
        (kind, lanes): printed(lowered, laws, noise_source(), kind, lanes)
        for kind in KINDS
        for lanes in (1, 16)
    }
    assert len(set(texts.values())) == len(texts)
    again = printed(lowered, laws, noise_source(), LockstepKind(), 16)
    assert again == texts[LockstepKind(), 16]
    for text in texts.values():
        compile(text, "printed", "exec")
        assert max(len(line) for line in text.splitlines()) < 400


def test_inner_loops_of_single_precision_hold_no_double_but_the_laws_that_need_it() -> None:
    lowered = lower(versatile())
    text = lockstep_source_single(lowered, kernel_laws(lowered), noise_source(), KINDS[0], 16)
    steps = text[text.index("for _ in range(") : text.rindex(f"for l in range({16})")]
    doubles = [line.strip() for line in steps.splitlines() if "float64" in line]
    # J5 and J6, with a logarithm and a power, are no monomials; two halves of a pair of draws.
    assert [line.split(" = ")[0][1:] for line in doubles] == ["5", "6", "5", "6"]
