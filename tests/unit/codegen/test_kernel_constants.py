"""Named numbers in kernel functions: found, compiled, interpreted, and never two by one name."""

from __future__ import annotations

from types import FunctionType

import pytest

import sbmlgrad as sg
from sbmlgrad.codegen.interpreted import interpreted
from sbmlgrad.codegen.kernel_constants import constants_of
from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.engines import Outcome, codes
from sbmlgrad.engines.codes import event_fault, part_at_fault

FIRST, LARGE, TITLE = 3, float("inf"), "text"


def uses(x):
    return x + FIRST if x < LARGE else x


def texts():
    return TITLE


def test_numbers_in_capitals_are_found() -> None:
    assert constants_of([uses, texts]) == {"FIRST": 3, "LARGE": float("inf")}


def test_kernels_know_them_compiled_and_interpreted() -> None:
    assert kernel_module([uses]).uses(4.0) == 7.0
    assert interpreted([uses]).uses(4.0) == 7.0


def test_one_name_for_two_numbers_is_refused() -> None:
    other = FunctionType(uses.__code__, {"FIRST": 4, "LARGE": LARGE}, "other")
    with pytest.raises(sg.SbmlGradError, match="FIRST"):
        constants_of([uses, other])


def test_outcomes_are_the_codes_of_kernels() -> None:
    assert all(getattr(codes, outcome.name) == outcome for outcome in Outcome)


@pytest.mark.parametrize("event", [0, 1, 77])
@pytest.mark.parametrize("part", [codes.TRIGGER, codes.DELAY, codes.PRIORITY, codes.VALUE])
def test_faults_of_events_are_told_from_those_of_reactions(event: int, part: int) -> None:
    assert part_at_fault(event_fault(event, part)) == (event, part)
    assert event_fault(event, part) < codes.NO_FAULT


def test_reactions_and_nobody_are_no_event() -> None:
    assert [part_at_fault(fault) for fault in (codes.NO_FAULT, 0, 5)] == [None] * 3
