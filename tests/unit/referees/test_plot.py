"""The picture of a comparison: one panel a species, everything labelled, nothing on top of data."""

from __future__ import annotations

from pathlib import Path

import matplotlib.figure
import matplotlib.image
import numpy as np
import pytest

from sbmlgrad.errors import WriteError
from sbmlgrad.referees.moments import moments
from sbmlgrad.referees.statistics.compare import Comparison, compare


def comparison(species: int, times: int, shift: float) -> Comparison:
    rng = np.random.default_rng(0)
    ours, theirs = rng.poisson(20, (2, 300, times, species))
    names = [f"S{i}" for i in range(species)]
    grid = np.linspace(0.0, 10.0, times)
    return compare(
        names,
        grid,
        moments([ours]),
        moments([theirs + shift]),
        names=("sbmlgrad 1", "other 2"),
        time_unit="second",
    )


@pytest.mark.parametrize(("species", "times"), [(1, 1), (2, 4), (5, 60)])
def test_panels_labels_and_legend(
    species: int, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[matplotlib.figure.Figure] = []
    save = matplotlib.figure.Figure.savefig

    def keep(figure: matplotlib.figure.Figure, *args: object, **options: object) -> None:
        drawn.append(figure)
        save(figure, *args, **options)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep)
    path = tmp_path / "overlay.png"
    comparison(species, times, 0.0).plot(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    (figure,) = drawn
    panels = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in panels] == [f"S{i}" for i in range(species)]
    assert all(ax.get_ylabel() == "molecules" for ax in panels)
    assert panels[-1].get_xlabel() == "time [second]"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "sbmlgrad 1: mean ± sd (300 trajectories)",
        "other 2: mean ± sd (300 trajectories)",
    ]
    box = legend.get_window_extent()
    assert box.x0 >= 0.0
    assert box.x1 <= figure.bbox.width
    for ax in panels:
        assert not box.overlaps(ax.get_tightbbox())


def test_disagreement_is_marked(tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain.png", tmp_path / "marked.png"
    comparison(2, 10, 0.0).plot(plain)
    found = comparison(2, 10, 5.0)
    assert not found.agrees
    found.plot(marked)
    orange = np.array([0xD5, 0x5E, 0x00])
    shown = [bool((pixels(p) == orange).all(axis=-1).any()) for p in (plain, marked)]
    assert shown == [False, True]


def pixels(path: Path) -> np.ndarray:
    return (matplotlib.image.imread(path)[:, :, :3] * 255.0).round().astype(int)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="nowhere"):
        comparison(1, 2, 0.0).plot(tmp_path / "nowhere" / "a.png")
    with pytest.raises(WriteError, match="suffix"):
        comparison(1, 2, 0.0).plot(tmp_path / "a.doc")
