"""Layers, sizes and the reach of the public names."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from networks import ROOT

import sbmlgrad as sg

SOURCES = sorted((ROOT / "sbmlgrad").rglob("*.py"))


def test_layers_import_only_downwards() -> None:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("import-linter comes with the extra 'dev'")
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 440, f"{path.name} has {lines} lines; split it by concept"


@pytest.mark.parametrize("name", sg.__all__)
def test_public_names_resolve_and_are_documented(name: str) -> None:
    value = getattr(sg, name)
    assert value.__doc__
    assert value.__doc__.strip()


def test_every_exception_has_one_root() -> None:
    tree = ast.parse((ROOT / "sbmlgrad" / "errors.py").read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    from sbmlgrad import errors

    assert len(names) > 10
    for name in names:
        assert issubclass(getattr(errors, name), sg.SbmlGradError)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_eval_and_no_print_outside_the_command_line(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "eval" not in calls
    if not {"cli", "workers"} & set(path.relative_to(ROOT / "sbmlgrad").parts):
        assert "print" not in calls


def test_every_reason_code_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "reason-codes.md").read_text(encoding="utf-8")
    codes = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                first = node.args[0] if node.args else None
                is_code = node.func.id in ("Issue", "refused", "MathError", "_error", "_issue")
                if is_code and isinstance(first, ast.Constant) and isinstance(first.value, str):
                    codes.add(first.value)
    codes = {c for c in codes if c.replace("_", "").isalpha() and c == c.lower() and " " not in c}
    assert len(codes) > 15
    missing = sorted(c for c in codes if f"`{c}`" not in page)
    assert not missing, f"not in docs/reference/reason-codes.md: {missing}"
