"""SED-ML documents, as libSEDML and XPath see them."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs
from networks import antimony, shipped
from written_documents import golden

import sbmlgrad as sg
from sbmlgrad.errors import RequestError
from sbmlgrad.io.sbml.levels import at_level
from sbmlgrad.io.sedml import ALGORITHMS, SEDML, Curve, TimeCourse, sedml_document
from sbmlgrad.model.expression import TIME, Number, Symbol, add, multiply
from sbmlgrad.model.problem import Experiment, Period

NS = {"s": SEDML}
COURSE = TimeCourse(end=20.0, steps=40)


def made(curves: Sequence[Curve], course: TimeCourse = COURSE, **options: Any) -> Any:
    model = shipped("telegraph")
    assert model.source is not None
    return etree.fromstring(sedml_document(model, model.source, curves, course, **options))


#: In a process of its own: libSEDML and libSBML take each other's types for their own.
READ = """
import sys, libsedml
document = libsedml.readSedMLFromString(sys.stdin.read())
assert document.getNumErrors() == 0, document.getErrorLog().toString()
print(document.getLevel(), document.getVersion(), document.getNumModels(),
      document.getNumSimulations(), document.getNumTasks(), document.getNumDataGenerators(),
      document.getNumOutputs())
read = document.getDataGenerator("data_1_ssa")
print(libsedml.formulaToString(read.getMath()))
print(read.getParameter(0).getValue(), read.getVariable(0).getTaskReference())
"""


def said_by_libsedml(root: Any, code: str) -> list[str]:
    """Return the lines that code prints in a process of its own, given the document."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=etree.tostring(root).decode(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_libsedml_finds_no_fault() -> None:
    curves = [
        Curve("observed", multiply(Symbol("scale"), Symbol("M")), "RNA"),
        Curve("other", add(TIME, Symbol("k_on"))),
    ]
    course = replace(COURSE, methods=("ssa", "ode"), trajectories=5)
    root = made(curves, course, constants={"scale": 2.5})
    assert said_by_libsedml(root, READ) == [
        "1 4 1 2 3 6 4",
        "data_1_ssa_2 * data_1_ssa_1",
        "2.5 task_ssa_repeated",
    ]


def test_the_time_course_and_its_algorithm() -> None:
    root = made([Curve("m", Symbol("M"))], replace(COURSE, methods=("ode", "ssa")))
    courses = root.findall(".//s:uniformTimeCourse", NS)
    assert [c.find("s:algorithm", NS).get("kisaoID") for c in courses] == [
        "KISAO:0000088",
        "KISAO:0000029",
    ]
    assert {(c.get("outputEndTime"), c.get("numberOfSteps")) for c in courses} == {("20.0", "40")}
    assert len(ALGORITHMS) == 2


def test_only_stochastic_simulations_are_repeated() -> None:
    course = replace(COURSE, methods=("ssa", "ode"), trajectories=7)
    root = made([Curve("m", Symbol("M"))], course)
    (repeated,) = root.findall(".//s:repeatedTask", NS)
    assert repeated.find(".//s:uniformRange", NS).get("numberOfSteps") == "6"  # both ends count
    assert repeated.find(".//s:subTask", NS).get("task") == "task_ssa"
    tasks = {v.get("taskReference") for v in root.iterfind(".//s:variable", NS)}
    assert tasks == {"task_ssa_repeated", "task_ode"}
    assert made([Curve("m", Symbol("M"))]).find(".//s:repeatedTask", NS) is None


@pytest.mark.parametrize("level", [(2, 4), (3, 1), (3, 2)])
def test_every_path_leads_to_its_element(level: tuple[int, int]) -> None:
    document = at_level(golden.original("dimerization_l3v1"), *level)
    network = sg.load(document.decode())
    wanted = ["A", "cell", "k1", "binding", "binding.scale"]
    curves = [Curve(f"c{i}", Symbol(symbol)) for i, symbol in enumerate(wanted)]
    root = etree.fromstring(sedml_document(network, document, curves, COURSE))
    sbml = etree.fromstring(document)
    paths = [v.get("target") for v in root.iterfind(".//s:variable", NS) if v.get("target")]
    found = [sbml.xpath(path, namespaces={"sbml": root.nsmap["sbml"]}) for path in paths]
    assert [[e.get("id") for e in elements] for elements in found] == [
        ["A"],
        ["cell"],
        ["k1"],
        ["binding"],
        ["scale"],
    ]
    language = root.find(".//s:model", NS).get("language")
    assert language == f"urn:sedml:language:sbml.level-{level[0]}.version-{level[1]}"


def test_a_named_stoichiometry_has_a_path() -> None:
    model = antimony('species A in cell; A = 9; n is ""; n := 1; J: n A -> ; A\n')
    assert [r.id for r in model.references] == ["n"]
    assert model.source is not None
    document = sedml_document(model, model.source, [Curve("c", Symbol("n"))], COURSE)
    root = etree.fromstring(document)
    (path,) = [v.get("target") for v in root.iterfind(".//s:variable", NS) if v.get("target")]
    sbml = etree.fromstring(model.source)
    (element,) = sbml.xpath(path, namespaces={"sbml": root.nsmap["sbml"]})
    assert etree.QName(element).localname == "speciesReference"


def test_ids_are_unique() -> None:
    curves = [
        Curve("clock", Symbol("M")),
        Curve("RNA (count), 1 <h>", Symbol("M"), "RNA"),
        Curve("M", add(Symbol("M"), Symbol("k_on"))),
    ]
    root = made(curves, replace(COURSE, methods=("ssa", "ode"), trajectories=2))
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert all(id.isidentifier() for id in ids)
    labels = [s.get("label") for s in root.iterfind(".//s:dataSet", NS)]
    assert labels == ["time", *(curve.id for curve in curves)] * 2


@pytest.mark.parametrize(
    ("curves", "course", "mentions"),
    [
        ([], COURSE, "no curves"),
        ([Curve("a", Symbol("M")), Curve("a", Symbol("M"))], COURSE, "one id"),
        ([Curve("a", Symbol("nowhere"))], COURSE, "'nowhere'"),
        ([Curve("a", Symbol("M"))], replace(COURSE, methods=()), "methods"),
        ([Curve("a", Symbol("M"))], replace(COURSE, methods=("tau",)), "methods"),
        ([Curve("a", Symbol("M"))], replace(COURSE, end=0.0), "nothing to simulate"),
        ([Curve("a", Symbol("M"))], replace(COURSE, steps=0), "nothing to simulate"),
    ],
)
def test_what_cannot_be_said(curves: list[Curve], course: TimeCourse, mentions: str) -> None:
    with pytest.raises(RequestError, match=mentions):
        made(curves, course)


def test_level_1_has_no_ids() -> None:
    model = shipped("telegraph")
    assert model.source is not None
    level_1 = model.source.replace(b'level="3"', b'level="1"', 1)
    with pytest.raises(RequestError, match="level 1"):
        sedml_document(model, level_1, [Curve("a", Symbol("M"))], COURSE)


TWO = "species S in c; species $E in c; c = 1; S = 9; E = 2; k = 1; d := 2*k; S -> ; c*k*E*S;"
SET = (
    Experiment("low", (Period(0.0, {"E": Number(0.5)}),), "little enzyme"),
    Experiment(
        "high", (Period(0.0, {"E": multiply(Number(3.0), Symbol("dose")), "S": Number(4)}),)
    ),
)


def with_experiments(experiments: Sequence[Experiment], text: str = TWO) -> tuple[Any, Any]:
    """Return a SED-ML document of experiments, and the SBML that it is of."""
    model = sg.load(text)
    assert model.source is not None
    curves, course = [Curve("s", Symbol("S"))], replace(COURSE, methods=("ode", "ssa"))
    options = {"constants": {"dose": 2.0}, "experiments": experiments}
    sedml = sedml_document(model, model.source, curves, course, **options)
    return etree.fromstring(sedml), etree.fromstring(model.source)


def test_every_experiment_is_simulated_and_plotted() -> None:
    root, sbml = with_experiments(SET)
    models = root.findall(".//s:model", NS)
    assert [m.get("name") for m in models] == ["little enzyme", "high"]
    changed = [
        {c.get("target"): c.get("newValue") for c in m.iterfind(".//s:changeAttribute", NS)}
        for m in models
    ]
    assert [list(one.values()) for one in changed] == [["0.5"], ["6.0", "4.0"]]
    core = {"sbml": etree.QName(sbml).namespace}
    for target in {t for one in changed for t in one}:
        assert len(sbml.xpath(target, namespaces=core)) == 1
    tasks = root.findall(".//s:task", NS)
    assert [(t.get("id"), t.get("modelReference")) for t in tasks] == [
        ("task_ode", "model"),
        ("task_ssa", "model"),
        ("task_ode_2", "model_2"),
        ("task_ssa_2", "model_2"),
    ]
    plots = [p.get("name") for p in root.findall(".//s:plot2D", NS)]
    assert plots[0] == "reaction rate equations, little enzyme"
    assert len(set(plots)) == len(root.findall(".//s:report", NS)) == 4
    used = {v.get("taskReference") for v in root.findall(".//s:variable", NS)}
    assert used == {t.get("id") for t in tasks}
    assert root.find("s:notes", NS) is None


def test_an_initial_assignment_that_would_override_a_change_is_removed() -> None:
    plain = sg.load(TWO + " k2 = 2*k;").source
    assert plain is not None
    experiment = Experiment("a", (Period(0.0, {"k2": Number(3.0)}),))
    root, _ = with_experiments((experiment,), plain.decode())
    assert "'k2' has no attribute in the document" in "".join(root[0].itertext())
    text = plain.decode().replace('<parameter id="k2"', '<parameter id="k2" value="7"')
    root, sbml = with_experiments((experiment,), text)
    removed, changed = root.find(".//s:listOfChanges", NS)
    assert (removed.tag, changed.tag) == (f"{{{SEDML}}}removeXML", f"{{{SEDML}}}changeAttribute")
    core = {"sbml": etree.QName(sbml).namespace}
    (assignment,) = sbml.xpath(removed.get("target"), namespaces=core)
    assert assignment.get("symbol") == "k2"


@pytest.mark.parametrize(
    ("experiment", "said"),
    [
        (Experiment("a", (Period(-math.inf), Period(0.0))), "'a' .*in the course of it"),
        (Experiment("a", (Period(-math.inf),)), "does not begin at time 0"),
        (Experiment("a", (Period(0.0, {"E": Symbol("S")}),)), "it sets 'E' to a formula"),
    ],
)
def test_what_sedml_cannot_say_of_experiments_stands_in_its_notes(experiment, said) -> None:
    root, _ = with_experiments((*SET, experiment))
    notes = root[0]
    assert notes.tag == f"{{{SEDML}}}notes"
    assert re.search(said, "".join(notes.itertext()))
    assert len(root.findall(".//s:model", NS)) == 2
    alone, _ = with_experiments((experiment,))
    assert "What is simulated is the model as it is." in "".join(alone[0].itertext())
    assert len(alone.findall(".//s:model", NS)) == 1


def test_libsedml_finds_no_fault_in_experiments() -> None:
    root, _ = with_experiments((*SET, Experiment("a", (Period(-math.inf),))))
    code = READ[: READ.index("print")] + "print(document.getNumModels(), document.getNumTasks())"
    assert said_by_libsedml(root, code) == ["2 4"]
