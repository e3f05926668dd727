"""Small documents of the kinds that broke the reader once, most of them found by fuzzing it."""

from pathlib import Path

import pytest

import sbmlgrad as sg

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.xml"))


def test_there_is_a_corpus() -> None:
    assert len(CORPUS) >= 5


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_document_that_broke_the_reader_is_refused_with_reasons(path: Path) -> None:
    issues = sg.check(path)
    assert any(str(issue.severity) == "error" for issue in issues)
    with pytest.raises(sg.SbmlGradError):
        sg.simulate(sg.load(path), times=[1.0])
