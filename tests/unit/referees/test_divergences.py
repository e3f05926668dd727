"""What referees are known to get wrong is recorded, and they are not asked about it."""

from __future__ import annotations

import json

import pytest
from constructs import CONSTRUCTS, WITHOUT_CLOCK
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import RefereeError
from sbmlgrad.referees import REFEREES, GillesPy2, RefereeResult, RoadRunner
from sbmlgrad.referees.divergences import CONSTRUCTS as JUDGED
from sbmlgrad.referees.divergences import known_divergences, read_divergences
from sbmlgrad.referees.validate import validate

#: Construct → what of it roadrunner is not asked about.
FOUND = {
    "time in a law": {"time_in_law"},
    "rate rules": {"rate_rule"},
    "time trigger": {"time_trigger"},
    "delays": {"delay", "time_trigger"},
    "priorities": {"time_trigger"},
    "event on a compartment": {"time_trigger"},
    "draws in events": {"random_draw", "time_trigger"},
    "draws at the start": {"random_draw"},
    "level 2 version 1": {"time_in_law"},
    "level 2 version 4": {"delay", "time_trigger"},
}

needs_roadrunner = pytest.mark.skipif(
    not RoadRunner().is_available(), reason="roadrunner is not installed"
)


def test_every_entry_is_about_a_referee_and_a_construct_and_has_evidence() -> None:
    record = read_divergences()
    assert record
    for entry in record:
        assert entry.referee in REFEREES
        assert entry.construct in JUDGED
        assert entry.version
        assert entry.evidence
        assert entry.reason in str(entry)
    assert len({(e.referee, e.construct) for e in record}) == len(record)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_constructs_are_recognised(name: str) -> None:
    lowered = lower(sg.load(CONSTRUCTS[name]))
    found = {entry.construct for entry in known_divergences("roadrunner", lowered)}
    assert found == FOUND.get(name, set())
    assert not (found and name in WITHOUT_CLOCK)
    assert known_divergences("somebody else", lowered) == ()


@pytest.mark.parametrize(
    ("name", "referee", "found"),
    [
        ("event at the start", "copasi", {"count_trigger"}),
        ("time trigger", "copasi", set()),
        ("state trigger", "bngsim", {"event_on_parameter"}),
        ("time in a law", "bngsim", set()),
        ("delays", "bngsim", {"delay"}),
        ("initial assignments and rules", "gillespy2", {"quotient_of_counts"}),
        ("concentrations", "gillespy2", set()),
        ("time trigger", "gillespy2", {"event"}),
    ],
)
def test_constructs_of_other_referees(name: str, referee: str, found: set[str]) -> None:
    known = known_divergences(referee, lower(sg.load(CONSTRUCTS[name])))
    assert {entry.construct for entry in known} == found


@needs_roadrunner
@pytest.mark.parametrize("name", sorted(FOUND))
def test_a_model_that_no_referee_can_judge_is_refused_with_the_reasons(name: str) -> None:
    with pytest.raises(RefereeError, match="no referee is left to ask") as caught:
        validate(sg.load(CONSTRUCTS[name]), times=[1], trajectories=20, seed=1)
    assert "roadrunner 2" in str(caught.value)


@needs_roadrunner
@pytest.mark.parametrize("name", ["state trigger", "event at the start", "operators of version 2"])
def test_roadrunner_agrees_where_it_is_asked(name: str) -> None:
    report = validate(sg.load(CONSTRUCTS[name]), times=[0, 0.7, 2, 5], trajectories=3000, seed=5)
    assert report.agrees, str(report)
    assert report.comparisons[0].ours.variance[-1, 0] > 1.0


@needs_roadrunner
def test_parameters_that_events_set_start_anew_in_every_trajectory() -> None:
    text = CONSTRUCTS["state trigger"]
    report = validate(
        sg.load(text), parameters={"k": 0.05}, times=[0.3, 1], trajectories=3000, seed=2
    )
    assert report.agrees, str(report)


@needs_roadrunner
def test_events_at_the_start_are_seen_at_time_0() -> None:
    model = sg.load(CONSTRUCTS["event at the start"])
    report = validate(model, times=[0], trajectories=20, seed=1)
    assert report.comparisons[0].theirs.mean.tolist() == [[25.0]]


@needs_roadrunner
def test_the_report_says_who_was_not_asked() -> None:
    model = sg.load(CONSTRUCTS["time in a law"])
    able = RenamedRoadRunner()
    report = validate(model, ["roadrunner", able], times=[0.1], trajectories=20, seed=1)
    assert list(report.skipped) == ["roadrunner"]
    assert [c.names[1].split()[0] for c in report.comparisons] == ["able"]
    assert "'roadrunner' was not asked: a kinetic law that depends on time" in str(report)
    assert list(json.loads(json.dumps(report.as_dict()))["skipped"]) == ["roadrunner"]


class RenamedRoadRunner(RoadRunner):
    """The same simulator under a name without a record."""

    @property
    def name(self) -> str:
        return "able"


@pytest.mark.parametrize(("count", "found"), [(2**31 - 1, set()), (2**31, {"large_count"})])
def test_gillespy2_is_not_asked_about_counts_that_run_over(count: int, found: set[str]) -> None:
    model = antimony(f"substanceOnly species A in cell; A = {count}; J0: A => ; 1e-9*A;")
    assert {e.construct for e in known_divergences("gillespy2", lower(model))} == found
    assert not known_divergences("rebop", lower(model))


def test_counts_of_ours_that_a_referee_cannot_hold() -> None:
    # It starts below the limit, and a firing brings it above.
    model = antimony(f"substanceOnly species A in cell; A = {2**31 - 5}; J0: => 10 A; 100;")

    class Small(GillesPy2):
        def is_available(self) -> bool:
            return True

        def sample(self, *_: object, **__: object) -> RefereeResult:
            raise AssertionError("it was asked")

    with pytest.raises(RefereeError, match="our own counts of 'A' reach 2147"):
        validate(model, Small(), times=[1], trajectories=20, seed=1)
