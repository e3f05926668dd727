"""Estimates: what they say, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sbmlgrad.errors import RequestError
from sbmlgrad.model.provenance import Estimate


def test_an_estimate_may_know_nothing_but_its_value() -> None:
    estimate = Estimate(2.0)
    assert not estimate.is_uncertain
    assert Estimate(2.0, standard_error=0.0).is_uncertain
    assert Estimate(2.0, interval=(1.0, math.inf)).is_uncertain


@pytest.mark.parametrize(
    ("wrong", "mentions"),
    [
        ({"value": math.nan}, "value nan"),
        ({"value": math.inf}, "value inf"),
        ({"standard_error": -1.0}, "standard error -1"),
        ({"standard_error": math.nan}, "standard error nan"),
        ({"standard_error": math.inf}, "standard error inf"),
        ({"interval": (2.0, 1.0)}, "not ordered"),
        ({"interval": (math.nan, 1.0)}, "not ordered"),
        ({"level": 95.0}, "level 95"),
        ({"level": 0.0}, "level 0"),
        ({"kind": "fiducial"}, "fiducial"),
        ({"central": "mode"}, "mode"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], mentions: str) -> None:
    with pytest.raises(RequestError, match=mentions):
        Estimate(**{"value": 1.0, **wrong})
