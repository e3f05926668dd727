"""The report: well formed, complete in itself, nothing lost or unescaped, whatever was fitted."""

from __future__ import annotations

import json
import math
import re
import tomllib
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import yaml
from fit_results import problem_of, result_of, usual_result, with_errors
from lxml import etree
from networks import ROOT

import sbmlgrad as sg
from sbmlgrad.errors import WriteError
from sbmlgrad.fit import objectives
from sbmlgrad.fit.report import FILES, report_html, write_results
from sbmlgrad.fit.report.citations import ESTIMATORS, OBJECTIVES, citations
from sbmlgrad.fit.uncertainty.run import METHODS
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.snapshots import Snapshots

#: Attributes by which a page asks for something.
ASKING = ("src", "href", "srcset", "data", "action", "poster", "background", "xlink:href")


@lru_cache
def page() -> str:
    """Two experiments, three observables, eight starts."""
    return report_html(usual_result())


def parsed(text: str) -> etree._Element:
    """Parse as XML, which forgives nothing: nesting, quotes, escapes."""
    return etree.fromstring(text.encode())


def texts(root: etree._Element, path: str) -> list[str]:
    return ["".join(e.itertext()).strip() for e in root.findall(path)]


def asked_for(root: etree._Element) -> list[str]:
    """Return every address outside of the page that it would ask for."""
    inside = ("#", "data:")
    asked = [
        value
        for e in root.iter()
        for name, value in e.attrib.items()
        if name.split("}")[-1] in ASKING and not value.startswith(inside)
    ]
    styles = [*texts(root, ".//style"), *(e.get("style", "") for e in root.iter())]
    asked += [u for s in styles for u in re.findall(r"url\(\s*['\"]?([^)'\"]*)", s) if u[:1] != "#"]
    asked += [s for s in styles if "@import" in s]
    return asked + [e.tag for e in root.iter("script", "link", "iframe", "object", "embed", "base")]


def test_it_is_well_formed_and_ids_differ() -> None:
    root = parsed(page())
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids)) > 100
    used = {m for m in re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", page())}
    assert used
    assert used <= set(ids)


def test_it_asks_for_nothing() -> None:
    assert asked_for(parsed(page())) == []
    assert "http" not in page()


@pytest.mark.parametrize(
    "alien",
    [
        '<img src="https://a.org/b.png"/>',
        '<p style="background: url(//a.org/b.png)">x</p>',
        "<style>@import 'a.css';</style>",
        "<script>fetch('a')</script>",
        '<a href="a.html">x</a>',
    ],
)
def test_the_search_for_requests_finds_them(alien) -> None:
    assert asked_for(parsed(page().replace("<main>", f"<main>{alien}")))


def test_pictures_are_all_there_and_are_described() -> None:
    """Six panels of data, two of residuals, correlations, loss, starts, sizes, four parameters."""
    root = parsed(page())
    assert len(root.findall(".//figure")) == 6 + 2 + 1 + 3 + 4
    for picture in root.findall(".//figure/svg"):
        assert picture.find("title").text
        assert picture.get("viewBox")
        assert picture.get("width") is None
    assert re.findall(r"#[0-9a-f]{6}", "".join(t for t in texts(root, ".//figure"))) == []


def test_tables_and_words_say_what_was_done() -> None:
    root, result = parsed(page()), usual_result()
    head = texts(root, ".//th")
    assert "standard error" in head
    assert "90 % confidence interval" in head
    cells = texts(root, ".//td")
    for id in result.free.ids:
        assert id in cells
    assert "0.4167 … ∞" in cells  # the open interval
    assert "scale * P" in cells
    assert "normal, standard deviation: 1 + 0.05 * P" in cells
    assert result.problem.measurements.sha256 in " ".join(cells)
    lead = texts(root, ".//p")[0]
    assert lead.startswith("4 parameters of the model")
    assert "72 measurements of y0, y1, y2 in 2 experiments (plate 1 <raw>.csv)" in lead
    assert "k_on = 2 ± 0.2 [1/s]" in lead
    everything = "".join(root.itertext())
    for words in (
        "row 3 & 4 were ignored: <empty>",
        "agrees with FiniteDifference() <within errors>",
        "trajectory 3 failed",
        "one direction is sloppy",
        "Gillespie",
        "Gupta",
        "sg.fit(problem, seed=3, epochs=60)",
    ):
        assert words in everything, words


def test_only_methods_that_were_used_are_cited() -> None:
    def cited(**changes) -> str:
        return "\n".join(citations(replace(usual_result(), **changes)))

    assert "Vilar" not in cited()
    assert "Gillespie" in cited()
    assert "Vilar" in cited(estimator="StraightThrough(temperature=1.0)")
    assert "Anderson" in cited(estimator="FiniteDifference(coupling='crn')")
    assert "McKay" in cited()
    assert "McKay" not in cited(starts=usual_result().starts[:1])
    assert "Kingma" not in cited(optimizer="RMSprop")


def by_exact_likelihood(objective: str, **changes):
    """Return a result as exact objectives leave it: they are where the gradients are from."""
    exact = replace(usual_result(), objective=objective, estimator=objective)
    return replace(exact, predictions=None, **changes)


SPACE = "StateSpaceLikelihood(detection=1.0, background=0.0, largest=200000)"
DWELLS = (
    "DwellTimes(record=load_dwells('r.csv', dead_time=0.025, unit='ms'), classes={'1': ('O',)})"
)


def test_exact_likelihoods_cite_their_own_methods() -> None:
    def cited(objective: str, **changes) -> str:
        return "\n".join(citations(by_exact_likelihood(objective, **changes)))

    assert "The finite state projection algorithm" in cited(SPACE)
    assert "Exact simulation of what is drawn: D. T. Gillespie" in cited(SPACE)
    assert "Hawkes" not in cited(SPACE)
    assert "Gillespie" not in cited(DWELLS, curves={})
    assert "On the stochastic properties of single ion channels" in cited(DWELLS)
    assert "when brief events cannot be detected" in cited(DWELLS)
    assert "brief events" not in cited(DWELLS.replace("0.025", "0.0"))
    assert "Gupta" not in cited(DWELLS)


def test_averaging_is_cited_where_the_values_are_an_average() -> None:
    result = usual_result()
    average = "by averaging"
    epoch = result.parameter_history[-1]
    last = dict(zip(result.free.ids, epoch.tolist(), strict=True))
    assert average not in "\n".join(citations(replace(result, values=last)))
    between = {id: value * 1.001 for id, value in last.items()}
    assert average in "\n".join(citations(replace(result, values=between)))


def test_methods_of_uncertainty_are_cited() -> None:
    found = usual_result().uncertainty
    assert found is not None

    def cited(method: str) -> str:
        return "\n".join(
            citations(replace(usual_result(), uncertainty=replace(found, method=method)))
        )

    authors = {"fisher": "Osborne", "profile": "Raue", "bootstrap": "Tibshirani", "mcmc": "emcee"}
    for method in METHODS:
        for other, author in authors.items():
            assert (author in cited(method)) == (method == other), (method, author)
    exact = citations(by_exact_likelihood(SPACE, uncertainty=replace(found, method="fisher")))
    assert "Hinkley" in "\n".join(exact)
    assert "Osborne" not in "\n".join(exact)


def test_the_software_is_cited_in_the_words_of_its_citation_file() -> None:
    told = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (author,) = told["authors"]
    assert [author] == project["authors"]
    assert told["version"] == project["version"]
    assert told["license"] == project["license"]
    assert told["title"].lower() == f"{project['name']}: {project['description']}".lower()
    software = citations(usual_result())[0]
    assert software.startswith(f"The software: {author['name']}, {told['title']}, version ")


def test_every_objective_has_its_sources() -> None:
    assert set(objectives.__all__) == OBJECTIVES.keys()
    told = "\n".join(citations(replace(usual_result(), objective="Distribution(distance='mmd')")))
    assert "two-sample test" in told
    assert "Energy statistics" not in told


def test_exact_likelihoods_are_no_ensemble() -> None:
    """No noise of simulation is claimed, and no trajectories of the epochs."""
    text = "".join(parsed(report_html(by_exact_likelihood(SPACE))).itertext())
    assert "by the exact likelihood of the counts" in text
    assert "gradients of the objective itself" in text
    assert "trajectories behind the curves" in text
    for words in ("by exact stochastic simulation", "trajectories for each", "from simulating"):
        assert words not in text, words
    dwells = texts(parsed(report_html(by_exact_likelihood(DWELLS, curves={}))), ".//p")[0]
    assert "estimated from the dwell times of a record" in dwells
    assert "by the likelihood of the dwell times, in closed form." in dwells
    other = texts(parsed(report_html(by_exact_likelihood("Mine()"))), ".//p")[0]
    assert "by an objective that needs no simulation." in other


def test_every_estimator_has_its_sources() -> None:
    public = {name: getattr(sg.gradients, name) for name in sg.gradients.__all__}
    estimators = {name for name, made in public.items() if hasattr(made, "pull_back")}
    assert "StraightThrough" in estimators
    assert estimators <= ESTIMATORS.keys()


def test_a_bare_result_has_no_empty_sections() -> None:
    """One start, nothing said, no predictions, no uncertainty, no snapshots."""
    bare = replace(
        result_of(problem_of(1, ("M",)), starts=1),
        predictions=None,
        assumptions=(),
        arguments={},
    )
    root = parsed(report_html(bare))
    headings = texts(root, ".//h2")
    assert "Residuals" not in headings
    assert "What was assumed" not in headings
    assert "How sure the values are" not in headings
    assert "Data and model" in headings
    assert not root.findall(".//pre")
    assert all(len(section) > 1 for section in root.findall(".//section"))
    assert all(len(body) for body in root.iter("tbody"))


def test_snapshots_alone_are_reported(tmp_path) -> None:
    """No measurement and no curve: nothing is drawn of them, and no picture of them written."""
    result = usual_result()
    m = result.problem.measurements
    empty = Measurements((), np.array([]), np.array([], dtype=int), np.array([]), (), ())
    cells = Snapshots(
        ("y0",), np.array([1.0, 1.0, 2.0]), np.array([[1], [2], [3]]), ("conc0",) * 3, "cells.csv"
    )
    problem = replace(result.problem, measurements=empty, snapshots=cells)
    assert len(m)
    alone = replace(result, problem=problem, curves={}, predictions=None)
    root = parsed(report_html(alone))
    assert (
        "3 cells, seen once each at 2 times in 2 experiments (cells.csv)" in texts(root, ".//p")[0]
    )
    names = [f.name for f in write_results(alone, tmp_path)]
    assert "fit.png" not in names
    assert names == [name for name in FILES if name not in ("fit.png", "petab")]


def test_rate_equations_are_no_ensemble(tmp_path) -> None:
    """No noise of simulation, no band of trajectories, other starts have not failed."""
    result = usual_result()
    starts = tuple(replace(s, loss=-5.0 + i, fate="xtol") for i, s in enumerate(result.starts))
    plain = replace(
        result,
        loss=-12.5,
        loss_standard_error=0.0,
        loss_history=-12.5 + 30.0 * np.exp(-np.arange(60.0)),
        error_history=np.zeros(60),
        trajectories_history=np.zeros(60, dtype=np.int64),
        evaluation_trajectories=0,
        curves={k: replace(c, sd=np.zeros_like(c.sd)) for k, c in result.curves.items()},
        starts=(replace(starts[0], fate="best"), *starts[1:]),
        estimator="differences of the rate equations",
        reason="ftol",
    )
    assert "60 steps" in str(plain)
    root = parsed(report_html(plain))
    everything = "".join(root.itertext())
    assert "by the rate equations." in texts(root, ".//p")[0]
    for word in ("trajectories)", "0 trajectories", "Gillespie", "starts failed", "over trajec"):
        assert word not in everything, word
    assert "Virtanen" in everything
    assert "expected to hold 90 %" in everything
    assert [f.name for f in write_results(plain, tmp_path)] == list(FILES)


def test_counted_cells_are_drawn_with_their_spread() -> None:
    result = usual_result()
    cells = Snapshots(
        ("y0",), np.array([1.0, 1.0, 2.0]), np.array([[1], [5], [3]]), ("conc0",) * 3, "cells.csv"
    )
    counted = replace(result, problem=replace(result.problem, snapshots=cells), curves=one_curve())
    axes = counted.plot().axes[0]
    (bars,) = axes.containers
    assert bars.lines[0].get_xydata().tolist() == [[1.0, 3.0], [2.0, 3.0]]
    lengths = [float(np.ptp(s[:, 1])) for s in bars.lines[2][0].get_segments()]
    assert lengths == pytest.approx([2 * math.sqrt(8.0), 0.0])
    assert "cells, mean ± 1 sd" in axes.get_figure().legends[0].texts[-1].get_text()
    root = parsed(report_html(counted))
    assert any("cells, mean" in text for text in texts(root, ".//ul[@class='key']/li"))


def one_curve():
    pair = ("conc0", "y0")
    return {pair: usual_result().curves[pair]}


def test_profiles_and_samples_are_drawn() -> None:
    result = usual_result()
    u, ids = result.uncertainty, result.free.ids
    assert u is not None
    profile = {
        "coordinates": np.linspace(-1, 1, 5),
        "deviance": np.array([4.0, 1.0, 0.0, 1.1, 3.9]),
        "deviance_error": np.full(5, 0.2),
        "smooth_coordinates": np.linspace(-1, 1, 50),
        "smooth_deviance": 4 * np.linspace(-1, 1, 50) ** 2,
        "threshold": 2.7,
        "unit": 1.0,
    }
    draws = {"samples": np.random.default_rng(1).lognormal(size=(100, len(ids)))}
    for method, details, words in (
        ("profile", {ids[0]: profile}, ["profile likelihood of k_on"]),
        ("bootstrap", draws, [f"samples of {id}" for id in ids]),
    ):
        told = replace(result, uncertainty=replace(u, method=method, details=details))
        titles = texts(parsed(report_html(told)), ".//figure/svg/title")
        assert [t for t in titles if t.startswith(("profile", "samples"))] == words


def test_many_observables_and_parameters_fold_away(tmp_path) -> None:
    many = result_of(problem_of(1, tuple(f"M*{i} + P" for i in range(1, 15))), starts=1)
    root = parsed(report_html(many))
    folded = root.findall(".//details//figure")
    assert len(folded) == 2
    assert "2 more panels" in texts(root, ".//summary")
    many.plot(tmp_path / "fit.png")
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")


def test_the_folder_holds_everything_and_the_table_its_errors(tmp_path) -> None:
    files = write_results(usual_result(), tmp_path / "deep" / "out")
    assert tuple(f.name for f in files) == FILES
    lines = (tmp_path / "deep" / "out" / "parameters.tsv").read_text().splitlines()
    head, first = lines[0].split("\t"), lines[1].split("\t")
    row = dict(zip(head, first, strict=True))
    assert head[:5] == ["parameterId", "value", "standardError", "intervalLower", "intervalUpper"]
    assert float(row["standardError"]) == pytest.approx(0.2)
    assert row["intervalKind"] == "confidence"
    assert row["flags"] == "moves together with k_off"
    assert lines[4].split("\t")[4] == "inf"
    told = json.loads(
        (tmp_path / "deep" / "out" / "provenance.json").read_text(),
        parse_constant=lambda word: pytest.fail(f"{word} is no JSON"),
    )
    assert told["uncertainty"]["parameters"]["scale"]["interval"][1] is None
    assert told["uncertainty"]["parameters"]["scale"]["flags"] == []
    assert told["uncertainty"]["parameters"][row["parameterId"]]["flags"] == [row["flags"]]
    assert told["arguments"] == {"seed": "3", "epochs": "60"}


def test_columns_of_uncertainty_are_left_out_without_it() -> None:
    bare = replace(usual_result(), uncertainty=None)
    assert "standardError" not in bare.parameter_table().columns
    assert "standardError" in with_errors(bare).parameter_table().columns


def test_what_cannot_be_stored_leaves_no_folder(tmp_path) -> None:
    bad = replace(usual_result(), extra={"odd": object()})
    with pytest.raises(WriteError, match="extra/odd"):
        write_results(bad, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
