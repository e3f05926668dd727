"""The guide to gradients keeps its word: its code runs."""

from __future__ import annotations

import re

import pytest
from networks import ROOT

TEXT = (ROOT / "docs" / "how-to" / "gradients.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"<!-- run -->\n```python\n(.*?)```", TEXT, re.DOTALL)


def test_every_block_of_code_is_run() -> None:
    assert len(BLOCKS) == TEXT.count("```python") == 8


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_code_runs(number: int, capsys) -> None:
    import sbmlgrad
    from sbmlgrad import distances

    # As a public name of the package, whether or not it has been asked for before.
    assert sbmlgrad.distances is distances
    exec(compile(BLOCKS[number], f"gradients.md, block {number}", "exec"), {})
    printed = capsys.readouterr().out
    assert printed
    assert "nan" not in printed
