"""Instructions per firing of the lockstep kernel, counted in the machine code of its inner loops.

Run `python validation/benchmarks/instructions.py`. Prints a Markdown table: instructions of each
vector loop, and per firing of one lane where every lane goes on. Nothing is timed, so the figures
are the same on an idle and on a busy machine; they depend on the processor (its vector length) and
on LLVM. Kernels are compiled afresh, since numba keeps no machine code text with cached ones.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

MODELS = Path(__file__).resolve().parents[2] / "models" / "sbml"
NAMES = ("dimerization", "ion_channel", "oscillator")

#: Lanes in a vector register of 512 bits, and firings that one call of Philox serves.
LANES = {"float64": 8, "float32": 16}
PHILOX_LANES = 8
FIRINGS_PER_CALL = {"float64": 1, "float32": 2}


def loops(assembly: str) -> Iterator[tuple[int, int, bool]]:
    """Yield (instructions, of them on 512-bit registers, whether it multiplies whole numbers)."""
    lines = assembly.splitlines()
    place = {m.group(1): i for i, line in enumerate(lines) if (m := re.match(r"(\.L\w+):", line))}
    for i, line in enumerate(lines):
        jump = re.match(r"\s+j\w+\s+(\.L\w+)", line)
        if jump is None or place.get(jump.group(1), i) >= i:
            continue
        body = [s for s in lines[place[jump.group(1)] : i + 1] if re.match(r"\t[a-z]", s)]
        inner = [s for s in body if re.match(r"\s+j\w+\s+\.L", s)]
        wide = sum("zmm" in s for s in body)
        if len(inner) == 1 and wide > len(body) / 2:
            yield len(body), wide, any("vpmuludq" in s for s in body)


def counted(name: str, dtype: str) -> tuple[float, float]:
    """Return instructions per firing for (noise, the rest)."""
    import sbmlgrad as sg
    from sbmlgrad.codegen.kernel_laws import kernel_laws
    from sbmlgrad.codegen.kernel_modules import printed_function
    from sbmlgrad.codegen.lockstep_single import SIGNATURE_SINGLE, lockstep_source_single
    from sbmlgrad.codegen.lockstep_source import SIGNATURE, LockstepKind, lockstep_source
    from sbmlgrad.codegen.lowering import lower
    from sbmlgrad.engines.noise_source import noise_source

    lowered = lower(sg.load(MODELS / f"{name}.xml"))
    printed = lockstep_source if dtype == "float64" else lockstep_source_single
    source = printed(lowered, kernel_laws(lowered), noise_source(), LockstepKind(), 64)
    signature = SIGNATURE if dtype == "float64" else SIGNATURE_SINGLE
    advance = printed_function(source, "advance", signature)
    found = list(loops(advance.inspect_asm(advance.signatures[0])))
    noise = [n for n, _, is_noise in found if is_noise]
    # In single precision two loops take turns, one for each of a pair of draws.
    rest = sorted((n for n, _, is_noise in found if not is_noise), reverse=True)
    taken = rest[: FIRINGS_PER_CALL[dtype]]
    if not noise or not taken:
        raise SystemExit(f"{name}, {dtype}: no vector loops of 512 bits; this processor has none")
    per_call = noise[0] / PHILOX_LANES / FIRINGS_PER_CALL[dtype]
    return per_call, sum(taken) / len(taken) / LANES[dtype]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SBMLGRAD_CACHE_DIR"] = folder
        print("| model | precision | random numbers | all else | instructions per firing |")
        print("|---|---|--:|--:|--:|")
        for name in NAMES:
            for dtype in LANES:
                noise, rest = counted(name, dtype)
                print(f"| {name} | {dtype} | {noise:.1f} | {rest:.1f} | {noise + rest:.1f} |")


if __name__ == "__main__":
    main()
