"""The guide to large ensembles keeps its word: its code runs from top to bottom."""

from __future__ import annotations

import re
import shutil

import numpy as np
from networks import MODELS, ROOT

PAGE = (ROOT / "docs" / "how-to" / "large-ensembles.md").read_text(encoding="utf-8")
CODE = re.compile(r"<!-- run -->\n```python\n(.*?)```", re.DOTALL)


def test_code_runs(tmp_path, monkeypatch, capsys) -> None:
    shutil.copy(MODELS / "telegraph.xml", tmp_path)
    monkeypatch.chdir(tmp_path)
    blocks = CODE.findall(PAGE)
    assert len(blocks) == PAGE.count("```python") == 5
    # Later blocks go on with what earlier ones made.
    names: dict = {}
    for block in blocks:
        exec(compile(block, "large-ensembles.md", "exec"), names)
    assert "trajectory" in capsys.readouterr().out
    # What the page says of the numbers that it shows.
    assert names["both"].trajectories == 20_000
    assert names["found"].reactions.itemsize + names["found"].times.itemsize == 9
    assert np.ptp(names["edges"]) < 1024
