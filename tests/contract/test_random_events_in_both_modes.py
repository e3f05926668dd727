"""Events made at random mean the same in stochastic and in deterministic simulation."""

from __future__ import annotations

import numpy as np
from both_modes import ENGINES, columns, load
from hypothesis import given, settings
from hypothesis import strategies as st
from sbml_text import event

_HALVES = st.integers(0, 8).map(lambda i: f"{i / 2:g}")
_SYMBOLS = st.sampled_from(["a", "b", "n"])
_WHOLE = st.integers(-2, 3).map(str)


@st.composite
def conditions(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["after", "window", "moment", "level", "pair", "mixed", "either"]))
    time, symbol, number = draw(_HALVES), draw(_SYMBOLS), draw(_WHOLE)
    later = f"{float(time) + 1.5:g}"
    return {
        "after": f"time >= {time}",
        "window": f"(time > {time}) && (time <= {later})",
        "moment": f"time == {time}",
        "level": f"{symbol} > {number}",
        "pair": f"{symbol} >= {draw(_SYMBOLS)} + {number}",
        "mixed": f"(time >= {time}) && ({symbol} < {number})",
        "either": f"(time >= {later}) || ({symbol} == {number})",
    }[kind]


@st.composite
def random_events(draw: st.DrawFn) -> list[str]:
    """Return events of which each is executed a few times at most."""
    found = []
    for i in range(draw(st.integers(1, 5))):
        # Equal priorities are executed in random order: every event has its own. Two executions of
        # one event may tie still, so that those with a priority evaluate at execution, where
        # it does not matter which of them is first.
        priority = draw(st.sampled_from([None, f"{i}", f"{10 - i}", f"{i} - 5*a"]))
        is_late = priority is not None or draw(st.booleans())
        target = draw(_SYMBOLS)
        value = draw(
            st.sampled_from([f"{i}", "n + 1", "b - a", f"{target} + {i}", "-a", "a + time"])
        )
        found.append(
            event(
                f"E{i}",
                f"({draw(conditions())}) && (c{i} < 3)",
                target,
                value,
                more=[(f"c{i}", f"c{i} + 1")],
                delay=draw(st.sampled_from([None, None, "0", "0.5", "1", "a*a", "b*b/2", "1/0"])),
                priority=None if priority is None else f"{priority} + {i}/8",
                initial_value=draw(st.booleans()),
                persistent=draw(st.booleans()),
                use_trigger_values=not is_late,
            )
        )
    return found


@settings(deadline=None, max_examples=150)
@given(random_events(), st.tuples(_WHOLE, _WHOLE, _WHOLE))
def test_random_models_mean_the_same_in_every_engine(
    events: list[str], start: tuple[str, str, str]
) -> None:
    values: dict[str, float | None] = dict(zip("abn", map(float, start), strict=True))
    values |= {f"c{i}": 0.0 for i in range(len(events))}
    model = load(events, values)
    times = np.linspace(0.0, 9.0, 37).tolist()
    wanted = columns(model, times, ENGINES["ODE"])
    assert columns(model, times, ENGINES["Native"]) == wanted
