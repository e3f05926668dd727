"""Kernel functions printed where they are called, for loops that compilers must see as a whole."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping


def body_of(function: Callable[..., object], **names: str) -> list[str]:
    """Return the statements of a kernel function as lines, to be printed where it is called.

    Args:
        function: plain function without loops or branches that ends in its only return.
        names: its parameters, and `result`, by what they are called there.

    Returns:
        Lines without indentation; its own variables keep their names.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    statements = [s for s in tree.body if not isinstance(s, ast.Expr)]
    result = names.pop("result")
    last = statements[-1]
    assert isinstance(last, ast.Return)
    assert last.value is not None
    statements[-1] = ast.Assign([ast.Name(result, ast.Store())], last.value, lineno=0)
    renamed = [_Renamed(names).visit(s) for s in statements]
    return [ast.unparse(ast.fix_missing_locations(s)) for s in renamed]


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._names.get(node.id, node.id), node.ctx)
