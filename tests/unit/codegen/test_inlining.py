"""Bodies of functions printed where they are called."""

from __future__ import annotations

import numpy as np
import pytest

from sbmlgrad.codegen.inlining import body_of


def area(width, height):
    """Return half of an area (this text is not printed)."""
    whole = width * height  # nor is this
    half = 0.5 * whole
    return half + (width - width)


def twice(x):
    return x + x


def takes_over(x):
    x = x + 1.0
    return np.sqrt(x)


def without_result(x):
    x + x


def run(lines: list[str], **names: float) -> dict[str, float]:
    exec("\n".join(lines), {"np": np}, names)
    return names


def test_statements_stand_with_parameters_and_result_renamed() -> None:
    lines = body_of(area, width="w", height="h3", result="a")
    assert lines == ["whole = w * h3", "half = 0.5 * whole", "a = half + (w - w)"]


def test_the_lines_do_what_the_function_does() -> None:
    found = run(body_of(area, width="w", height="h", result="a"), w=3.0, h=5.0)
    assert found["a"] == area(3.0, 5.0)


def test_a_name_that_is_assigned_is_renamed_too() -> None:
    lines = body_of(takes_over, x="room", result="root")
    assert lines == ["room = room + 1.0", "root = np.sqrt(room)"]
    assert run(lines, room=8.0)["root"] == 3.0


def test_parameters_that_are_not_named_keep_their_names() -> None:
    assert body_of(twice, result="y") == ["y = x + x"]


def test_the_result_may_have_the_name_of_a_parameter() -> None:
    assert run(body_of(twice, x="u", result="u"), u=2.0)["u"] == 4.0


def test_a_function_that_returns_nothing_is_refused() -> None:
    with pytest.raises((AssertionError, IndexError)):
        body_of(without_result, x="x", result="y")


def test_a_result_must_have_a_name() -> None:
    with pytest.raises(KeyError):
        body_of(twice, x="x")
