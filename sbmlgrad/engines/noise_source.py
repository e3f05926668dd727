"""Source of the noise of one firing, straight-line, for generated kernels: see `engines.random`."""

from __future__ import annotations

from sbmlgrad.codegen.inlining import body_of
from sbmlgrad.codegen.lockstep_source import NoiseSource
from sbmlgrad.engines.random import (
    FIRINGS,
    KEY_STEP0,
    KEY_STEP1,
    MULTIPLIER0,
    MULTIPLIER1,
    NARROW_FIRINGS,
    ROUNDS,
    standard_exponential,
    standard_exponential_single,
)


def noise_source() -> NoiseSource:
    """Return lines that give the same numbers as `uniform_pair` and `standard_exponential`.

    Rounds stand one after another, for compilers that would not unroll a loop within a loop. Words
    keep what multiplication leaves above their 32 bits until they are used, which saves masking.
    """
    once = ["low = np.uint64(0xFFFFFFFF)", "word = np.uint64(32)"]
    once += ["k0 = np.uint64(seed) & low", "q0 = np.uint64(seed) >> word"]
    for i in range(1, ROUNDS):
        once += [f"k{i} = (k{i - 1} + np.uint64(0x{KEY_STEP0:X})) & low"]
        once += [f"q{i} = (q{i - 1} + np.uint64(0x{KEY_STEP1:X})) & low"]
    each = [
        *word_lines(FIRINGS),
        "first = (w0 & low) | (w1 << word)",
        "second = (w2 & low) | (w3 << word)",
        f"u = np.float64(np.int64(first >> np.uint64(11)) + np.int64(1)) * {2.0**-53!r}",
        f"v = np.float64(np.int64(second >> np.uint64(11))) * {2.0**-53!r}",
        *body_of(standard_exponential, u="u", result="exponential"),
    ]
    scale = f"np.float32({2.0**-32!r})"
    pair = [
        *word_lines(NARROW_FIRINGS),
        f"u0 = np.float32(np.int64(w0 & low) + np.int64(1)) * {scale}",
        f"v0 = np.float32(np.int64(w1 & low)) * {scale}",
        f"u1 = np.float32(np.int64(w2 & low) + np.int64(1)) * {scale}",
        f"v1 = np.float32(np.int64(w3 & low)) * {scale}",
    ]
    single = body_of(standard_exponential_single, u="u", result="exponential")
    return NoiseSource(tuple(once), tuple(each), tuple(pair), tuple(single))


def word_lines(purpose: int) -> list[str]:
    """Return lines that assign the words `w0` to `w3` from `draw` and `trajectory`."""
    lines = [
        "w0 = draw & low",
        "w1 = draw >> word",
        "w2 = trajectory",
        f"w3 = np.uint64({purpose})",
    ]
    for i in range(ROUNDS):
        lines += [
            f"m0 = (w0 & low) * np.uint64(0x{MULTIPLIER0:X})",
            f"m1 = (w2 & low) * np.uint64(0x{MULTIPLIER1:X})",
            f"w0 = (m1 >> word) ^ w1 ^ k{i}",
            f"w2 = (m0 >> word) ^ w3 ^ q{i}",
            "w1 = m1",
            "w3 = m0",
        ]
    return lines
