"""SED-ML level 1 version 4: how to simulate a model and what to plot, for other tools.

Smith et al. 2021, J. Integr. Bioinform. 18, 20210021. Algorithms are named by KiSAO: the engines of
exact stochastic simulation are Gillespie's direct method, the deterministic one begins with LSODA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from sbmlgrad.errors import RequestError
from sbmlgrad.io.sedml_experiments import Condition, add_changes, add_notes, conditions_of
from sbmlgrad.model.elements import Compartment, Parameter, Reaction, Species, SpeciesReference
from sbmlgrad.model.expression import TIME, Expression, Symbol, symbols
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Experiment

SEDML = "http://sed-ml.org/sed-ml/level1/version4"
#: Kind of simulation → KiSAO term: Gillespie's direct method, LSODA.
ALGORITHMS = {"ssa": "KISAO:0000029", "ode": "KISAO:0000088"}

_TITLES = {"ssa": "exact stochastic simulation", "ode": "reaction rate equations"}
_TIME = "urn:sedml:symbol:time"
#: The clock in a data generator; no SBML id is spelled like it.
_CLOCK = Symbol("the clock")
_KINDS: Mapping[type, str] = MappingProxyType(
    {
        Species: "sbml:listOfSpecies/sbml:species",
        Compartment: "sbml:listOfCompartments/sbml:compartment",
        Parameter: "sbml:listOfParameters/sbml:parameter",
        Reaction: "sbml:listOfReactions/sbml:reaction",
    }
)


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve of a plot.

    Attributes:
        id: what the column of the report is called; an observable's id, for instance.
        formula: over symbols of the model, `TIME` and the constants given.
        name: for the legend.
    """

    id: str
    formula: Expression
    name: str = ""


@dataclass(frozen=True, slots=True)
class TimeCourse:
    """What to simulate.

    Attributes:
        end: last time.
        steps: stretches of equal length between outputs.
        methods: kinds of simulation, one plot each: `"ssa"`, `"ode"`.
        trajectories: stochastic simulations to repeat, each one curve.
    """

    end: float
    steps: int = 100
    methods: Sequence[Literal["ssa", "ode"]] = ("ssa",)
    trajectories: int = 1


def sedml_document(
    network: ReactionNetwork,
    document: bytes,
    curves: Sequence[Curve],
    course: TimeCourse,
    *,
    source: str = "model.xml",
    constants: Mapping[str, float] = MappingProxyType({}),
    experiments: Sequence[Experiment] = (),
) -> bytes:
    """Return a SED-ML document that simulates a model and plots observables over time.

    Args:
        network: the model.
        document: its SBML, of level 2 or 3, which says what the paths to its elements are.
        curves: what to plot and report.
        course: what to simulate.
        source: where the SBML stands, seen from the SED-ML.
        constants: value of what formulas use beside the model, such as a scale.
        experiments: each is simulated and plotted by itself; none is the model as it is. What
            SED-ML cannot say of them stands in its notes.

    Returns:
        The document, UTF-8; the same arguments give the same bytes.

    Raises:
        RequestError: there is nothing to plot or simulate, a formula uses what is neither in the
            model nor a constant, or the SBML is of level 1, which has no ids.
    """
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

    _check(curves, course)
    sbml = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    level, version = sbml.get("level"), sbml.get("version")
    if level not in ("2", "3"):
        raise RequestError(
            f"model '{network.id}' in SBML level {level}: SED-ML refers to elements by their ids, "
            "which level 2 and 3 have; convert the model first"
        )
    core = etree.QName(sbml).namespace
    root = etree.Element(
        f"{{{SEDML}}}sedML", nsmap={None: SEDML, "sbml": core}, level="1", version="4"
    )
    conditions, missing = conditions_of(network, sbml, experiments, constants)
    conditions = conditions or (Condition(""),)
    add_notes(root, missing)
    plan = _Plan(network, int(level), constants)
    language = f"urn:sedml:language:sbml.level-{level}.version-{version}"
    models = _add(root, "listOfModels")
    for condition, mark in zip(conditions, _marks(conditions), strict=True):
        named = {"name": condition.name} if condition.name else {}
        model = _add(models, "model", id=f"model{mark}", **named, language=language, source=source)
        add_changes(model, condition.changes, plan.target)
    _add_simulations(root, course)
    listed = _add(root, "listOfTasks")
    generators, outputs = _add(root, "listOfDataGenerators"), _add(root, "listOfOutputs")
    for condition, mark in zip(conditions, _marks(conditions), strict=True):
        for method, task in _add_tasks(listed, course, mark).items():
            key, title = f"{method}{mark}", _TITLES[method]
            title = f"{title}, {condition.name}" if len(conditions) > 1 else title
            _add_time(generators, key, task)
            for i, curve in enumerate(curves, 1):
                _add_generator(generators, f"data_{i}_{key}", curve, task, plan)
            _add_outputs(outputs, curves, key, title)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


@dataclass(frozen=True, slots=True)
class _Plan:
    network: ReactionNetwork
    level: int
    constants: Mapping[str, float]

    def target(self, symbol: str) -> str:
        """Return the path of a symbol's element in the SBML."""
        element = self.network.by_id.get(symbol)
        reaction, _, local = symbol.partition(".")
        if isinstance(element, Parameter) and local:
            inside = "LocalParameters/sbml:localParameter" if self.level > 2 else None
            inside = inside or "Parameters/sbml:parameter"
            return f"{_path(Reaction, reaction)}/sbml:kineticLaw/sbml:listOf{inside}[@id='{local}']"
        if isinstance(element, SpeciesReference):
            return (
                f"/sbml:sbml/sbml:model/sbml:listOfReactions//sbml:speciesReference[@id='{symbol}']"
            )
        if element is None:
            raise RequestError(
                f"symbol '{symbol}' of a curve is neither in model '{self.network.id}' nor among "
                "the constants; give its value as a constant"
            )
        return _path(type(element), symbol)


def _path(kind: type, id: str) -> str:
    return f"/sbml:sbml/sbml:model/{_KINDS[kind]}[@id='{id}']"


def _check(curves: Sequence[Curve], course: TimeCourse) -> None:
    if not curves:
        raise RequestError("no curves: there is nothing to plot; give at least one")
    ids = [curve.id for curve in curves]
    if len(set(ids)) < len(ids):
        raise RequestError(f"curves {', '.join(ids)}: two have one id; rename one of them")
    if not course.methods or any(method not in ALGORITHMS for method in course.methods):
        raise RequestError(
            f"methods={tuple(course.methods)}: choose some of {', '.join(ALGORITHMS)}"
        )
    if not (course.end > 0 and course.steps >= 1 and course.trajectories >= 1):
        raise RequestError(
            f"{course}: there is nothing to simulate; the end is positive, and there is at least "
            "one step and one trajectory"
        )


def _add(parent: Any, tag: str, **attributes: str) -> Any:
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

    return etree.SubElement(parent, f"{{{SEDML}}}{tag}", attributes)


def _add_simulations(root: Any, course: TimeCourse) -> None:
    listed = _add(root, "listOfSimulations")
    for method in course.methods:
        simulation = _add(
            listed,
            "uniformTimeCourse",
            id=f"simulation_{method}",
            name=_TITLES[method],
            initialTime="0",
            outputStartTime="0",
            outputEndTime=repr(float(course.end)),
            numberOfSteps=str(course.steps),
        )
        _add(simulation, "algorithm", kisaoID=ALGORITHMS[method])


def _marks(conditions: Sequence[Condition]) -> list[str]:
    """Return what ids of each condition end in; the first are as if it were the only one."""
    return ["", *(f"_{i}" for i in range(2, len(conditions) + 1))]


def _add_tasks(listed: Any, course: TimeCourse, mark: str) -> dict[str, str]:
    """Add a task for each kind of simulation; return kind → the task whose results are plotted."""
    found: dict[str, str] = {}
    for method in course.methods:
        task = found[method] = f"task_{method}{mark}"
        simulation = f"simulation_{method}"
        _add(listed, "task", id=task, modelReference=f"model{mark}", simulationReference=simulation)
        if method == "ssa" and course.trajectories > 1:
            found[method] = _add_repetition(listed, task, course.trajectories)
    return found


def _add_repetition(listed: Any, task: str, trajectories: int) -> str:
    repeated = f"{task}_repeated"
    element = _add(
        listed, "repeatedTask", id=repeated, range="run", resetModel="true", concatenate="false"
    )
    run = {"id": "run", "start": "1", "end": str(trajectories), "type": "linear"}
    steps = str(trajectories - 1)
    _add(_add(element, "listOfRanges"), "uniformRange", **run, numberOfSteps=steps)
    _add(_add(element, "listOfSubTasks"), "subTask", order="1", task=task)
    return repeated


def _add_time(generators: Any, method: str, task: str) -> None:
    _add_math_and_variables(generators, f"clock_{method}", "time", _CLOCK, {_CLOCK.id: _TIME}, task)


def _add_generator(generators: Any, id: str, curve: Curve, task: str, plan: _Plan) -> None:
    from sbmlgrad.model.expression import substitute

    formula = substitute(curve.formula, {TIME.id: _CLOCK})
    used = sorted(symbols(formula) - plan.constants.keys())
    places = {s: _TIME if s == _CLOCK.id else plan.target(s) for s in used}
    values = {s: plan.constants[s] for s in sorted(symbols(formula) & plan.constants.keys())}
    name = curve.name or curve.id
    _add_math_and_variables(generators, id, name, formula, places, task, values)


def _add_math_and_variables(
    generators: Any,
    id: str,
    name: str,
    formula: Expression,
    places: Mapping[str, str],
    task: str,
    values: Mapping[str, float] = MappingProxyType({}),
) -> None:
    from sbmlgrad.io.sbml.mathml_writer import add_math

    generator = _add(generators, "dataGenerator", id=id, name=name)
    # Ids are unique in the whole document, and those of observables may be any text.
    ids = {symbol: f"{id}_{i}" for i, symbol in enumerate((*places, *values), 1)}
    add_math(generator, formula, ids)
    variables = _add(generator, "listOfVariables")
    for symbol, place in places.items():
        where = {"symbol" if place == _TIME else "target": place}
        label = "time" if place == _TIME else symbol
        _add(variables, "variable", id=ids[symbol], name=label, taskReference=task, **where)
    if values:
        parameters = _add(generator, "listOfParameters")
        for symbol, value in values.items():
            _add(parameters, "parameter", id=ids[symbol], name=symbol, value=repr(float(value)))


def _add_outputs(outputs: Any, curves: Sequence[Curve], method: str, title: str) -> None:
    clock = f"clock_{method}"
    plot = _add(outputs, "plot2D", id=f"plot_{method}", name=title)
    for axis in ("xAxis", "yAxis"):
        _add(plot, axis, type="linear")
    drawn = _add(plot, "listOfCurves")
    report = _add(outputs, "report", id=f"report_{method}", name=title)
    sets = _add(report, "listOfDataSets")
    _add(sets, "dataSet", id=f"column_{clock}", label="time", dataReference=clock)
    for i, curve in enumerate(curves, 1):
        data = f"data_{i}_{method}"
        named = {"id": f"curve_{data}", "name": curve.name or curve.id, "type": "points"}
        _add(drawn, "curve", **named, xDataReference=clock, yDataReference=data)
        _add(sets, "dataSet", id=f"column_{data}", label=curve.id, dataReference=data)
