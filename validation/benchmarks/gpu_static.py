"""Instructions of one firing, counted in the machine code of a CUDA kernel without running it.

The compiler's text (PTX) is assembled for one kind of device and disassembled. A firing is a way
around the loop that meets no access to memory and no call. What is kept or finished meets the
first (a store is planted where neither would be seen), divisions that need special care the second.
The longest such way is counted.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import sbmlgrad as sg
from sbmlgrad.codegen.kernel_laws import kernel_laws
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.cuda.kernels import ptx, source_of

MODELS = Path(__file__).resolve().parents[2] / "models" / "sbml"
CAPABILITY = (9, 0)

#: The branch of a kernel in which no firing happens, and a store to tell it by.
_ELSE = "\n            else:\n"
_MARK = "                end_times[0] = 1.0\n"

_LABEL = re.compile(r"^(\.L_x_\d+):")
_CODE = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(.*?);")
_JUMP = re.compile(r"\bBRA\b.*`\((\.L_x_\d+)\)")
_ENDS = re.compile(r"\b(EXIT|RET)\b")
#: Loads, stores and atomic operations; parameters of the kernel are constants.
_LEAVES = re.compile(r"\b(LDG|STG|LDL|STL|LD|ST|ATOM\w*|RED|CALL)\b")


@dataclass
class Block:
    """Instructions without a jump between them.

    Attributes:
        code: them.
        following: numbers of the blocks that may come next.
    """

    code: list[str] = field(default_factory=list)
    following: list[int] = field(default_factory=list)


def static_table(names: list[str]) -> str:
    """Return a Markdown table of kernels' instructions and registers."""
    capability = ".".join(map(str, CAPABILITY))
    lines = [
        f"Kernel for values at times, compute capability {capability}:\n",
        "| model | reactions | species | instructions per firing | of them double precision "
        "| registers | spilled bytes |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in names:
        lowered = lower(sg.load(MODELS / f"{name}.xml"))
        source = source_of(lowered, kernel_laws(lowered), "values")
        assert source.count(_ELSE) == 1
        marked = source.replace(_ELSE, _ELSE + _MARK)
        found = [_assembled(ptx(s, CAPABILITY)) for s in (source, marked)]
        for text in found:
            if isinstance(text, str):
                return f"No machine code: {text}"
        report, code = found[0][1], found[1][0]
        firing = longest_firing(blocks_of(code))
        registers = re.search(r"Used (\d+) registers", report)
        spilled = sum(int(n) for n in re.findall(r"(\d+) bytes spill", report))
        doubles = sum(bool(re.search(r"\bD(ADD|MUL|FMA|SETP)\b", i)) for i in firing)
        lines.append(
            f"| {name} | {len(lowered.channels)} | {len(lowered.species_ids)} | {len(firing)} | "
            f"{doubles} | {registers.group(1) if registers else '?'} | {spilled} |"
        )
    return "\n".join(lines)


def blocks_of(code: str) -> list[Block]:
    """Return the blocks of disassembled code and where each may go on."""
    blocks: list[Block] = [Block()]
    at: dict[str, int] = {}
    jumps: list[tuple[int, str]] = []
    for line in code.splitlines():
        label, instruction = _LABEL.match(line.strip()), _CODE.search(line)
        if label:
            _go_on(blocks)
            at[label.group(1)] = len(blocks) - 1
        if not instruction:
            continue
        text = instruction.group(1)
        blocks[-1].code.append(text)
        jump = _JUMP.search(text)
        if jump:
            jumps.append((len(blocks) - 1, jump.group(1)))
        if jump or _ENDS.search(text):
            _go_on(blocks, falls_through=text.startswith("@"))
    for block, label in jumps:
        if label in at:
            blocks[block].following.append(at[label])
    return blocks


def _go_on(blocks: list[Block], *, falls_through: bool = True) -> None:
    if falls_through:
        blocks[-1].following.append(len(blocks))
    blocks.append(Block())


def longest_firing(blocks: list[Block]) -> list[str]:
    """Return the instructions of the longest way around that neither leaves nor calls."""
    plain = [not any(_LEAVES.search(i) for i in block.code) for block in blocks]
    best: list[str] = []
    # A firing divides.
    for start, block in enumerate(blocks):
        if not plain[start] or not any("MUFU.RCP64H" in i for i in block.code):
            continue
        stack: list[tuple[int, tuple[int, ...]]] = [(start, (start,))]
        while stack:
            here, way = stack.pop()
            for place in blocks[here].following:
                if place == start:
                    found = [i for b in way for i in blocks[b].code]
                    best = max(best, found, key=len)
                elif place < len(blocks) and plain[place] and place not in way:
                    stack.append((place, (*way, place)))
    return best


def _assembled(text: str) -> tuple[str, str] | str:
    """Return machine code as text and the assembler's report, or what is missing."""
    tools = {name: _tool(name) for name in ("ptxas", "nvdisasm")}
    missing = [name for name, path in tools.items() if path is None]
    if missing:
        return f"{' and '.join(missing)} not found; see the wheels nvidia-cuda-nvcc and -nvdisasm"
    with tempfile.TemporaryDirectory() as folder:
        source, binary = Path(folder) / "kernel.ptx", Path(folder) / "kernel.cubin"
        source.write_text(text, encoding="utf-8")
        arch = f"-arch=sm_{CAPABILITY[0]}{CAPABILITY[1]}"
        command = [str(tools["ptxas"]), "-v", arch, str(source), "-o", str(binary)]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            return f"ptxas: {made.stderr.strip()}"
        shown = subprocess.run(
            [str(tools["nvdisasm"]), "-c", str(binary)], capture_output=True, text=True
        )
        return (shown.stdout, made.stderr) if not shown.returncode else f"nvdisasm: {shown.stderr}"


def _tool(name: str) -> str | None:
    """Find a tool of the CUDA toolkit in the wheels of this environment, or on the path."""
    wheels = sorted((Path(sysconfig.get_path("purelib")) / "nvidia").glob(f"*/bin/{name}"))
    return str(wheels[-1]) if wheels else shutil.which(name)
