"""Lines of CUDA kernels: random numbers in 32-bit words, products that are rounded, inlining.

A GPU multiplies two words of 32 bits into one of 64 in one instruction, so that the streams of
`engines.random` are printed here in words of 32 bits; they are the same numbers.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence

from sbmlgrad.codegen.inlining import body_of

#: Whole numbers that the lines use and `engines.random` defines: two factors, two steps of the key.
PHILOX = ("MULTIPLIER0", "MULTIPLIER1", "KEY_STEP0", "KEY_STEP1")

#: Others: the lower word, the bits of a word, those of 64 that a uniform number of 53 leaves over,
#: and 1.
NUMBERS = {"LOW": 0xFFFFFFFF, "WORD": 32, "UNUSED": 11, "ONE": 1}

#: NumPy's functions of numbers that numba's CUDA target lacks.
FUNCTIONS = ("ceil", "floor", "fmod", "rint", "trunc")


def indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    """Return lines indented by a number of blocks."""
    return [" " * 4 * depth + line for line in lines]


def philox_keys(seed: str, rounds: int) -> list[str]:
    """Return lines that assign the keys of all rounds, k0... and l0..., from the seed (uint64)."""
    lines = [f"k0 = np.uint32({seed} & LOW)", f"l0 = np.uint32({seed} >> WORD)"]
    for r in range(1, rounds):
        lines += [
            f"k{r} = np.uint32((np.uint64(k{r - 1}) + KEY_STEP0) & LOW)",
            f"l{r} = np.uint32((np.uint64(l{r - 1}) + KEY_STEP1) & LOW)",
        ]
    return lines


def uniform_pair(draw: str, trajectory: str, rounds: int) -> list[str]:
    """Return lines that assign u in (0, 1] and v in [0, 1) for a firing; both addresses are int64.

    The same numbers as `engines.random.uniform_pair` for the purpose 0, the firings. Every name is
    assigned once, which numba compiles in a fraction of the time.
    """
    lines = [
        f"w0_0 = np.uint32(np.uint64({draw}) & LOW)",
        f"w1_0 = np.uint32(np.uint64({draw}) >> WORD)",
        f"w2_0 = np.uint32(np.uint64({trajectory}) & LOW)",
        "w3_0 = np.uint32(0)",
    ]
    for r in range(rounds):
        lines += [
            f"m0_{r} = np.uint64(w0_{r}) * MULTIPLIER0",
            f"m1_{r} = np.uint64(w2_{r}) * MULTIPLIER1",
            f"w0_{r + 1} = np.uint32(np.uint32(m1_{r} >> WORD) ^ w1_{r} ^ k{r})",
            f"w2_{r + 1} = np.uint32(np.uint32(m0_{r} >> WORD) ^ w3_{r} ^ l{r})",
            f"w1_{r + 1} = np.uint32(m1_{r} & LOW)",
            f"w3_{r + 1} = np.uint32(m0_{r} & LOW)",
        ]
    scale = repr(2.0**-53)
    w0, w1, w2, w3 = (f"w{i}_{rounds}" for i in range(4))
    return [
        *lines,
        f"first_bits = (np.uint64({w0}) | (np.uint64({w1}) << WORD)) >> UNUSED",
        f"second_bits = (np.uint64({w2}) | (np.uint64({w3}) << WORD)) >> UNUSED",
        f"u = np.float64(first_bits + ONE) * {scale}",
        f"v = np.float64(second_bits) * {scale}",
    ]


def for_device(lines: Sequence[str]) -> list[str]:
    """Return lines as a GPU is to evaluate them.

    `a * b` becomes `product(a, b)`: the compiler would join a product and a sum into one operation,
    which is rounded once instead of twice; kernels of a CPU do not, and both are to give the same
    bits. NumPy functions that numba does not know there become names (`FUNCTIONS`), and functions
    without a name are written out where they are called.
    """
    tree = _ForDevice().visit(ast.parse("\n".join(lines)))
    return ast.unparse(ast.fix_missing_locations(tree)).splitlines()


def inlined(function: Callable[..., object], **names: str) -> list[str]:
    """Return the lines of a kernel function as `inlining.body_of` does, for a device.

    Args:
        function: plain function as `inlining.body_of` needs it.
        names: its parameters, and `result`, by what they are called there.
    """
    return for_device(body_of(function, **names))


class _ForDevice(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Mult):
            return node
        return ast.Call(ast.Name("product", ast.Load()), [node.left, node.right], [])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Lambda):
            names = (argument.arg for argument in function.args.args)
            values = dict(zip(names, node.args, strict=True))
            return _Replaced(values).visit(function.body)
        if not isinstance(function, ast.Attribute):
            return node
        if function.attr == "view":
            to_float = ast.unparse(node.args[0]) == "np.float64"
            text = "float_of(np.int64(x))" if to_float else "np.uint64(bits_of(x))"
            return _Replaced({"x": function.value}).visit(ast.parse(text, mode="eval").body)
        if ast.unparse(function.value) == "np" and function.attr in FUNCTIONS:
            node.func = ast.Name(function.attr, ast.Load())
        return node


class _Replaced(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node)
