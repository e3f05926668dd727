"""The guide to PEtab keeps its word: its code runs."""

from __future__ import annotations

import re

from networks import ROOT

GUIDE = ROOT / "docs" / "how-to" / "petab.md"


def test_code_runs(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"<!-- run -->\n```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 1
    exec(compile(blocks[0], str(GUIDE), "exec"), {})
    assert {p.name for p in (tmp_path / "decay").iterdir()} == {
        *("model.xml", "problem.yaml", "parameters.tsv", "observables.tsv", "measurements.tsv"),
        *("conditions.tsv", "experiments.tsv", "simulations.tsv"),
    }
