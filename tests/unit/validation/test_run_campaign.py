"""The cross-check campaign on tiny networks: agreement, a wrong referee, who is right."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import run
from campaign import argue as run_argue
from campaign import compare as run_compare
from campaign import page as run_page
from campaign import report
from campaign.closed_forms import LAWS, ClosedForm
from campaign.compare import (
    AGREES,
    CANNOT,
    DISAGREES,
    FAILED,
    FEWEST,
    KNOWN,
    NO_MEANING,
    NOTHING,
    OURS_FAILED,
    SKIPPED,
    Effort,
    is_finished,
)
from campaign.planted_fault import TooFast
from campaign.records import append, latest, read
from campaign.report import cell, is_settled, table
from campaign.subjects import ENDS, SHIPPED, SUITE, Subject, files, subject_of
from networks import ROOT, antimony
from numpy.typing import NDArray

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.referees import Fsp, Rebop, RefereeResult, referee

MODELS = ROOT / "models" / "sbml"

EFFORT = Effort("quick", 300, 5.0, 400, 60.0)


def shipped(name: str) -> Subject:
    return subject_of(SHIPPED, name, MODELS / f"{name}.xml", 10.0)


def made(
    subject: Subject, asked: dict[str, Any], effort: Effort = EFFORT
) -> dict[str, dict[str, Any]]:
    return {r["referee"]: r for r in run_compare.records_of(subject, asked, effort)}


@dataclass(frozen=True)
class Refusing:
    """A simulator of any name that fails whenever it is asked."""

    name: str
    install_with: str = "nothing"

    def is_available(self) -> bool:
        return True

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: NDArray[np.float64],
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        raise sg.RefereeError("broken as planned")


def test_exact_referees_agree_and_a_wrong_one_is_proved_wrong() -> None:
    subject = shipped("immigration_death")
    names = {"fsp": referee("fsp"), "ode": referee("ode")}
    names |= {"closed form": ClosedForm(subject.document), "planted": TooFast(1.3)}
    found = made(subject, names)
    assert [found[n]["verdict"] for n in names] == [AGREES, AGREES, AGREES, DISAGREES]
    assert "means of X" in found["planted"]["words"]
    argument = found["planted"]["argument"]
    assert argument["right"] == run_argue.OURS
    assert argument["by"].startswith("closed form, ")
    assert "DISAGREE" in argument["theirs"]
    assert "DISAGREE" not in argument["ours"]
    assert all(map(is_settled, found.values()))


def test_what_no_exact_answer_decides_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_argue, "_exact_answers", lambda *_: iter(()))
    found = made(shipped("immigration_death"), {"planted": TooFast(1.3)})["planted"]
    assert found["verdict"] == DISAGREES
    assert found["argument"]["right"] == run_argue.OPEN
    assert not is_settled(found)
    assert "**open**" in table([found])


@pytest.mark.parametrize(
    ("ours", "theirs", "right", "settled"),
    [
        (True, False, run_argue.OURS, True),
        (False, True, run_argue.THEIRS, False),
        (False, False, run_argue.NEITHER, False),
        (True, True, run_argue.OPEN, False),
    ],
)
def test_only_a_referee_that_is_proved_wrong_settles_it(
    ours: bool, theirs: bool, right: str, settled: bool
) -> None:
    argument = run_argue._told("an answer", (ours, "a"), (theirs, "b"))
    assert argument["right"] == right
    assert is_settled({"verdict": DISAGREES, "argument": argument}) == settled


def test_an_exact_answer_that_disagrees_proves_sbmlgrad_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subject = shipped("immigration_death")
    wrong = LAWS["immigration_death"]
    law = {"immigration_death": lambda counts, k, times: wrong(counts, {**k, "alpha": 1.3}, times)}
    monkeypatch.setattr("campaign.closed_forms.LAWS", law)
    found = made(subject, {"closed form": ClosedForm(subject.document)})["closed form"]
    assert found["verdict"] == DISAGREES
    assert not is_settled(found)


def test_a_law_without_a_meaning_is_excused_only_where_the_file_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong sbmlgrad ends in the same way, so that its own word is not enough."""
    text = "substanceOnly species X in cell; X = 3; k = 5; J0: 2 X => ; k*X;"
    sg.save(antimony(text), tmp_path / "odd.xml")
    subject = Subject(SHIPPED, "odd", str(tmp_path / "odd.xml"), 5.0)
    unknown = made(subject, {"any": TooFast(1.0)})["any"]
    assert (unknown["verdict"], cell(unknown)) == (OURS_FAILED, "**!**")
    monkeypatch.setitem(run_compare.MEANINGLESS, "odd", {"J0": "takes two X, also of one"})
    found = made(subject, {"any": TooFast(1.0)})["any"]
    assert (found["verdict"], found["kind"], cell(found)) == (SKIPPED, NO_MEANING, "R")
    assert found["words"] == "'J0' takes two X, also of one"
    assert is_settled(found)
    monkeypatch.setitem(run_compare.MEANINGLESS, "odd", {"J1": "is another one"})
    assert made(subject, {"any": TooFast(1.0)})["any"]["verdict"] == OURS_FAILED
    sought = replace(subject, trouble="failed: NEGATIVE_COUNT: by reaction 'J1'")
    assert made(sought, {"any": TooFast(1.0)})["any"]["kind"] == NO_MEANING


def test_reasons_not_to_ask_and_failures_are_told_apart(tmp_path: Path) -> None:
    found = made(shipped("dimerization"), {"ode": referee("ode"), "any": Refusing("any")})
    assert (found["ode"]["verdict"], found["ode"]["kind"]) == (SKIPPED, CANNOT)
    assert found["ode"]["words"].startswith("means obey the rate equations only")
    assert (found["any"]["verdict"], cell(found["any"])) == (FAILED, "T")
    assert "broken as planned" in found["any"]["words"]
    text = "substanceOnly species X in cell; X = 9; J0: X => ; 0.2*X; at time >= 2: X = X + 5;"
    sg.save(antimony(text), tmp_path / "late.xml")
    late = Subject(SHIPPED, "late", str(tmp_path / "late.xml"), 5.0)
    skipped = made(late, {"roadrunner": Refusing("roadrunner")})["roadrunner"]
    assert (skipped["verdict"], skipped["kind"], cell(skipped)) == (SKIPPED, KNOWN, "K")
    still = "substanceOnly species X in cell; X = 9; p = 1; at time >= 2: p = p + 5;"
    sg.save(antimony(still), tmp_path / "still.xml")
    rest = Subject(SHIPPED, "still", str(tmp_path / "still.xml"), 5.0)
    nothing = made(rest, {"any": Refusing("any")})["any"]
    assert (nothing["verdict"], nothing["kind"], cell(nothing)) == (SKIPPED, NOTHING, "N")
    bad = made(replace(rest, document=str(MODELS / "sir.xml"), end=0.0), {"any": Refusing("any")})
    assert bad["any"]["verdict"] == OURS_FAILED, "a request that is wrong is no agreement"
    drawn = "substanceOnly species X in cell; X = poisson(9); J0: X => ; 0.2*X;"
    sg.save(antimony(drawn), tmp_path / "drawn.xml")
    for exact in ("fsp", "ode"):
        drawn_at_random = Subject(SHIPPED, "drawn", str(tmp_path / "drawn.xml"), 5.0)
        left = made(drawn_at_random, {exact: referee(exact)})[exact]
        assert (left["verdict"], left["kind"], cell(left)) == (SKIPPED, CANNOT, "C"), exact
    lost = Subject(SHIPPED, "lost", str(tmp_path / "lost.xml"), 5.0)
    failed = made(lost, {"any": Refusing("any")})["any"]
    assert failed["verdict"] == OURS_FAILED
    assert not is_settled(failed)


@pytest.mark.parametrize("name", LAWS)
def test_closed_forms_are_the_master_equation(name: str) -> None:
    """Two exact answers that share no code, at three times, to the error bound of the second."""
    model = sg.load(MODELS / f"{name}.xml")
    times = np.array([0.1, 0.5, 1.0]) * ENDS[name]
    document, species = normalised_sbml(lower(model)), model.species_ids
    ours = ClosedForm(str(MODELS / f"{name}.xml")).solve(document, species, times, 60.0)
    fsp = Fsp().solve(document, species, times, 60.0)
    np.testing.assert_allclose(ours.mean, fsp.mean, rtol=1e-6, atol=1e-8)
    assert ours.distributions is not None
    assert fsp.distributions is not None
    for t in range(len(times)):
        for s in range(len(species)):
            laws = []
            for known in (ours.distributions, fsp.distributions):
                values, law = known.marginal(t, s)
                laws.append(np.bincount(values.astype(int), law, 2000))
            np.testing.assert_allclose(laws[0], laws[1], atol=1e-7)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Return a suite of one case: immigration and death, whose counts are Poisson."""
    folder = tmp_path / "stochastic" / "00020"
    folder.mkdir(parents=True)
    shutil.copy(MODELS / "immigration_death.xml", folder / "00020-sbml-l3v1.xml")
    lines = ["start: 0", "duration: 50", "steps: 50", "amount: X", "concentration:"]
    lines += ["output: X-mean, X-sd", "meanRange: (-3, 3)", "sdRange: (-5, 5)"]
    (folder / "00020-settings.txt").write_text("\n".join(lines))
    mean = 10.0 * -np.expm1(-0.1 * np.arange(51.0))
    rows = [f"{t},{m!r},{m**0.5!r}" for t, m in enumerate(mean.tolist())]
    (folder / "00020-results.csv").write_text("\n".join(["time,X-mean,X-sd", *rows]))
    return folder.parent


def test_the_suite_judges_both_sides(suite: Path) -> None:
    ((name, document),) = files(SUITE, suite, quick=True)
    subject = subject_of(SUITE, name, document, 10.0)
    assert subject.end == 50.0
    found = made(subject, {"suite table": None, "planted": TooFast(1.3)})
    assert found["suite table"]["verdict"] == AGREES, found
    argument = found["planted"]["argument"]
    assert argument["by"] == "the suite's means and deviations, case 00020"
    assert (argument["right"], argument["ours"][:6]) == (run_argue.OURS, "agrees")


def words(page: Path) -> str:
    """Return the text of a page without its line breaks."""
    return " ".join(page.read_text(encoding="utf-8").split())


def test_the_campaign_ends_with_1_for_what_is_not_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records, page = tmp_path / "found.jsonl", tmp_path / "page.md"
    given = ["--quick", "--only", "ion_channel", "--referees", "fsp,closed form"]
    given += ["--plant", "2", "--records", str(records), "--write", "--out", str(tmp_path)]
    given += ["--page", str(page)]
    assert run.main(given) == 0
    assert "| ion_channel | ✓ 200 | ✓ 200 | **✗** 200 |" in capsys.readouterr().out
    assert "an exact answer says that sbmlgrad is right" in words(page)
    assert (tmp_path / "campaign.png").stat().st_size > 10_000
    first = records.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in first.splitlines()]
    assert [line["referee"] for line in lines[1:]] == ["fsp", "closed form", "planted"]
    # What has a record is not compared again.
    assert run.main(given) == 0
    assert records.read_text(encoding="utf-8") == first
    lines[-1]["argument"]["right"] = run_argue.OPEN
    records.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert run.main(given) == 1
    assert "**1 of all are not explained**" in words(page)


def test_a_comparison_that_takes_too_long_is_a_failure_of_its_own(tmp_path: Path) -> None:
    records = tmp_path / "found.jsonl"
    hasty = Effort("quick", 300, 5.0, 400, 1e-3)
    run.run_subject(shipped("ion_channel"), {"fsp": None}, hasty, None, records)
    (only,) = read(records)
    assert (only["referee"], only["verdict"]) == ("fsp", FAILED)
    assert only["words"].startswith("out of time")


def test_few_trajectories_in_a_hasty_run_are_made_more() -> None:
    subject = shipped("ion_channel")
    hasty = replace(EFFORT, trajectories=None, within_s=1e-9)
    found = made(subject, {"fsp": referee("fsp")}, hasty)["fsp"]
    assert (found["verdict"], found["within"]) == (AGREES, 1e-9)
    assert found["trajectories"] < FEWEST
    patient = replace(hasty, patient_s=5.0)
    assert is_finished(found, hasty)
    assert not is_finished(found, patient)
    found = made(subject, {"fsp": referee("fsp")}, patient)["fsp"]
    assert found["within"] == 5.0
    assert found["trajectories"] >= FEWEST
    assert is_finished(found, patient)
    # Where more time does not help, it is not tried again and again.
    assert is_finished({**found, "trajectories": 20}, patient)


def test_what_a_comparison_could_have_found() -> None:
    record = {"referee": "copasi", "bound": 3.7184, "trajectories": 200}
    # Two means of 200 differ by a tenth of a standard deviation by chance alone.
    assert report.least_difference(record) == pytest.approx(0.5, abs=1e-3)
    # Chernoff's bound of a normal count asks for 4.3 standard errors where 3.72 have that chance.
    exact = {**record, "referee": "fsp"}
    assert report.least_difference(exact) == pytest.approx((4.303 + 1.2816) / 200**0.5, abs=1e-3)
    few = {**record, "trajectories": 20}
    said = report.power([record, exact, few, {"referee": "suite table", "trajectories": 9}])
    assert "2 comparisons have at least 200 trajectories" in said
    assert "1 comparisons have fewer trajectories" in said
    assert [report.of_each({"trajectories": n}) for n in (0, 20, 2000, 1080)] == [
        "",
        "20",
        "2k",
        "1.08k",
    ]


def test_one_that_is_gone_meanwhile_has_failed() -> None:
    class Gone(Rebop):
        def is_available(self) -> bool:
            return False

    found = made(shipped("ion_channel"), {"rebop": Gone()})["rebop"]
    assert (found["verdict"], found["words"].count("not installed")) == (FAILED, 1)


def test_the_last_record_of_a_comparison_counts() -> None:
    lines = [{"model": "a", "words": "old"}, {"model": "b"}, {"model": "a", "words": "new"}]
    assert latest(lines) == [{"model": "a", "words": "new"}, {"model": "b"}]


def test_a_line_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"
    append(file, {"a": 1})
    file.write_text(file.read_text() + '{"b"')
    assert read(file) == [{"a": 1}]
    append(file, {"c": 3})
    assert read(file) == [{"a": 1}, {"c": 3}]


def test_the_page_is_that_of_the_records() -> None:
    results = ROOT / "validation" / "results"
    full, quick = results / "campaign.jsonl", results / "campaign_quick.jsonl"
    effort = run.FULL if full.exists() else run.QUICK
    records = latest(r for r in read(full if full.exists() else quick) if "effort" in r)
    page = ROOT / "docs" / "explanation" / "cross-check.md"
    written = run_page._page(
        records, effort, page, results / "campaign.md", results / "campaign.png"
    )
    assert page.read_text(encoding="utf-8") == written
