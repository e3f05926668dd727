"""Why a network needs a clock: everything that can happen between firings, by name."""

from __future__ import annotations

import pytest
from networks import antimony

from sbmlgrad.codegen.lowering import MOST_REASONS, lower

HEAD = "substanceOnly species X in cell; X = 5; k = 1; J0: X => ; k*X;"


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("", ()),
        ("E1: at time > 1: X = 3;", ("event 'E1'",)),
        ("z = 1; z' = 0.1*z;", ("rate rule of 'z'",)),
        ("J1: => X; 0.5*time;", ("law of 'J1' that depends on time",)),
        ("r := 2*time; J1: => X; r;", ("law of 'J1' that depends on time",)),
        ("E1: at time > 1: k = 3;", ("event 'E1'", "symbol 'k' that is not constant")),
    ],
)
def test_every_reason_is_named(text: str, reasons: tuple[str, ...]) -> None:
    lowered = lower(antimony(HEAD + text))
    assert lowered.clock_reasons == reasons
    assert lowered.is_timed == bool(reasons)
    assert lowered.clock_words == ", ".join(reasons)


def test_many_reasons_are_counted() -> None:
    events = "".join(f"E{i}: at time > {i}: X = {i};" for i in range(MOST_REASONS + 3))
    lowered = lower(antimony(HEAD + events))
    assert lowered.clock_words.endswith(f"event 'E{MOST_REASONS - 1}' and 3 more")
