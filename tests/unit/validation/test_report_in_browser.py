"""What is looked at in a browser would be found: each planted fault is, and a report has none."""

from __future__ import annotations

import shutil

import pytest
from fit_results import usual_result

from sbmlgrad.fit.report import report_html

# The extra `test` installs it, so that only a bare installation goes without.
pytest.importorskip("selenium", reason="selenium comes with the extra 'validation'")

import report_in_browser as campaign
from browser import browser

TOOLS = [shutil.which(name) for name in ("chromium", "chromedriver")]

#: Fault → what is said of it.
SAID = {
    "wide": "pixels wide on a screen of",
    "request": "asks for https://example.org/a.png",
    "error": "console: SEVERE",
    "name": "is out of sight",
    "picture": "picture 'none' is empty",
}


@pytest.fixture(scope="module")
def faults(tmp_path_factory) -> dict[str | None, list[str]]:
    """Fault, or None → what was found in the page."""
    if None in TOOLS:
        # They are programs of the system, which no extra can bring. `test_report_page` reads the
        # page without them: that it asks for nothing and that all its pictures are there.
        pytest.skip("chromium and chromedriver are not installed")
    folder = tmp_path_factory.mktemp("pages")
    text, found = report_html(usual_result()), {}
    with browser(*TOOLS) as page:
        for fault in (None, *campaign.FAULTS):
            path = folder / f"{fault}.html"
            path.write_text(campaign.planted(text, fault), encoding="utf-8")
            seen = list(campaign.look(page, "usual", path, None))
            found[fault] = [words for one in seen for words in one.faults()]
    return found


def test_a_report_has_no_faults(faults) -> None:
    assert faults[None] == []


@pytest.mark.parametrize("fault", campaign.FAULTS)
def test_a_planted_fault_is_found(fault, faults) -> None:
    assert any(SAID[fault] in words for words in faults[fault]), faults[fault]
