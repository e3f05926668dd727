"""Every planted fault is caught by `validate` with its default settings; right simulators pass.

The settings are those of the command line: default times, trajectories, error and confirmation. The
docs list these rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from networks import ROOT, antimony
from planted import (
    DroppedBoundary,
    FixedWaits,
    Float32Uniforms,
    FrozenTime,
    LateEvents,
    MirroredNeighbours,
    MissedEvents,
    NetRate,
    OffByOneOutput,
    Planted,
    RateOffByOnePercent,
    SharedStream,
    SlowExchange,
    StalePropensity,
    TauLeaping,
    WrongCombinatorics,
)
from planted_together import (
    EvenFirings,
    ForeignCounters,
    LateFirstFiring,
    MirroredHalves,
    MirroredTwoApart,
    OneNegativeCount,
    OneStreamEach,
    Timed,
)
from small_networks import HEAD

from sbmlgrad.referees.report.text import KINDS
from sbmlgrad.referees.statistics.compare import Comparison
from sbmlgrad.referees.statistics.sampled import COPIES
from sbmlgrad.referees.validate import ValidationReport, validate

PAGE = ROOT / "docs" / "how-to" / "cross-check.md"

MODELS = {
    "production": "substanceOnly species X in cell; X = 0; J0: => X; 100;",
    "pairs": (
        "substanceOnly species A in cell, D in cell; A = 20; D = 0;"
        "J0: 2 A => D; 0.05*A*(A - 1)/2; J1: D => 2 A; 0.5*D;"
    ),
    "exchange": (
        "substanceOnly species A in cell, B in cell; A = 50; B = 50; J0: A -> B; 2*A - 2*B;"
    ),
    "event": (
        "substanceOnly species X in cell; X = 20; J0: X => ; 0.2*X; E: at time >= 2.5: X = X + 30;"
    ),
    "dose": (
        "substanceOnly species X in cell; X = 20; J0: X => ; 0.5*X; E: at time >= 300: X = X + 30;"
    ),
    "step": (
        "substanceOnly species A in cell; A = 40; J0: A => ; piecewise(0.05, time < 2.5, 1)*A;"
    ),
    "chain": (
        "substanceOnly species A in cell, B in cell, C in cell; A = 30; B = 0; C = 0;"
        "J0: A => B; 0.5*A; J1: B => C; 2*B;"
    ),
    "rare": (
        "substanceOnly species X in cell, Y in cell, G in cell; X = 0; Y = 0; G = 1;"
        "J0: => X; 140000; J1: => Y; 4; J2: G => ; 0.0166*G;"
    ),
    "reservoir": "substanceOnly species $S in cell, X in cell; S = 500; X = 0;"
    "J0: $S => X; 0.01*S; J1: X => ; 0.5*X;",
    "twins": (
        "substanceOnly species X in cell, Y in cell; X = 0; Y = 0; J0: => X; 10; J1: => Y; 10;"
    ),
    "few": "substanceOnly species X in cell; X = 0; J0: => X; 1;",
    "steady": "substanceOnly species X in cell; X = 0; J0: => X; 2;",
    "slow": "substanceOnly species X in cell; X = 0; J0: => X; 0.2;",
}


@dataclass(frozen=True)
class Row:
    """A fault, the model that shows it, and what is told to the right simulator too."""

    fault: Planted
    model: str
    right: Planted = field(default_factory=Planted)


#: Statistics as the docs name them.
WORDS = {**KINDS, COPIES: "copied trajectories"}

EVENT = {"breaks": (2.5,), "jump": {"X": 30.0}}
DOSE = {"breaks": (300.0,), "jump": {"X": 30.0}}

ROWS = [
    Row(RateOffByOnePercent(), "production"),
    Row(WrongCombinatorics(), "pairs"),
    Row(NetRate(), "exchange"),
    Row(LateEvents(**EVENT), "event", right=Planted(**EVENT)),
    Row(MissedEvents(), "dose", right=Planted(**DOSE)),
    Row(FrozenTime(breaks=(2.5,)), "step", right=Planted(breaks=(2.5,))),
    Row(OffByOneOutput(), "production"),
    Row(StalePropensity(), "chain"),
    Row(Float32Uniforms(), "rare", right=Float32Uniforms(bits=53)),
    Row(SharedStream(), "production"),
    Row(DroppedBoundary(text=HEAD + MODELS["reservoir"].replace("$S", "S")), "reservoir"),
    Row(MirroredNeighbours(), "production"),
    Row(SlowExchange(), "exchange"),
    Row(FixedWaits(), "chain"),
    Row(TauLeaping(), "chain"),
    Row(OneStreamEach(), "twins"),
    Row(MirroredTwoApart(), "few"),
    Row(MirroredHalves(), "few"),
    Row(ForeignCounters(), "few"),
    Row(OneNegativeCount(), "few"),
    Row(LateFirstFiring(), "slow"),
    Row(EvenFirings(), "steady", right=Timed()),
]

#: What no law of chance is needed to see: it is not repeated.
IMPOSSIBLE = (ForeignCounters, OneNegativeCount)

#: What is seen so as well as in means: counts below zero, a firing at time 0.
IMPOSSIBLE_TOO = (StalePropensity, TauLeaping, OffByOneOutput)

#: Every model once.
OF_MODELS = {row.model: row for row in ROWS}


def asked(row: Row, judge: Planted, trajectories: int | None = None) -> ValidationReport:
    model = antimony(MODELS[row.model])
    return validate(model, judge, seed=1, trajectories=trajectories)


def found_by(found: Comparison) -> set[str]:
    """What disagrees, in the words of the docs."""
    of_moments = zip(("means", "variances"), found.disagreement, strict=True)
    words = {word for word, bad in of_moments if bad.any()}
    words |= {WORDS[name] for name, bad in found.further_disagreement.items() if bad.any()}
    return words | ({"impossible trajectories"} if found.impossible else set())


def stated(row: Row) -> tuple[set[str], bool]:
    """What finds the fault, as the docs state it, and whether nothing else does."""
    fault = (type(row.fault).__doc__ or "").split(".")[0].splitlines()[0].strip().lower()
    cells = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    stated = [line[-1] for line in cells if line[0].lower().startswith(f"| {fault}")]
    assert len(stated) == 1, f"in {len(stated)} rows of the table: {fault}"
    text = stated[0].removesuffix(" |")
    words = text.removesuffix(" alone").replace(" and ", ", ").split(", ")
    return set(words), text.endswith(" alone")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row.fault).__name__)
def test_a_planted_fault_is_caught(row: Row) -> None:
    # The default, however busy the machine is.
    report = asked(row, row.fault, 2000)
    assert not report.agrees, str(report)
    (found,) = report.comparisons
    assert isinstance(row.fault, IMPOSSIBLE) or found.confirmation is not None
    seen = found_by(found)
    words, is_alone = stated(row)
    assert seen == words if is_alone else words <= seen, f"the docs say {words}, found by {seen}"
    assert bool(found.impossible) == isinstance(row.fault, (*IMPOSSIBLE, *IMPOSSIBLE_TOO)), str(
        report
    )


@pytest.mark.parametrize("model", OF_MODELS)
def test_the_right_simulator_passes(model: str) -> None:
    row = OF_MODELS[model]
    report = asked(row, row.right, 2000)
    (found,) = report.comparisons
    assert report.agrees, str(report)
    assert found.ours.trajectories == 2000, "the time did not allow the default"
    assert np.isfinite(found.bound)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row.fault).__name__)
def test_the_docs_list_the_fault(row: Row) -> None:
    assert f"`{row.model}`" in PAGE.read_text(encoding="utf-8")
    words, _ = stated(row)
    assert words <= {*WORDS.values(), "means", "variances", "impossible trajectories"}
