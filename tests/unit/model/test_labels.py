"""Labels: candidates for what was mistyped."""

from __future__ import annotations

from sbmlgrad.model.labels import suggestion


def test_suggestion_ignores_letter_case_and_stays_silent_without_a_candidate():
    assert suggestion("PREY", ["Prey", "prey"]) == " (did you mean 'Prey' or 'prey'?)"
    assert suggestion("PREY", ["xyz"]) == ""
