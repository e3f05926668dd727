"""Mapping files in every format, and the calibration problems they make."""

from __future__ import annotations

import pytest
from networks import antimony

from sbmlgrad.errors import DataError, FitError
from sbmlgrad.io.mapping_file import load_mapping, problem_of
from sbmlgrad.io.tables.measurements import load_measurements
from sbmlgrad.model.expression import Number, Symbol, add, multiply
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.problem import ProblemParameter

NETWORK = antimony("species A = 10, B = 0; k = 0.5; double := 2*k; J: A => B; k*A;")

TSV = (
    "# what the plate measured\n"
    "observableId\tformula\tnoiseDistribution\tnoiseFormula\tscale\toffset\tname\tcolumn\n"
    "total\tA + 2*B\tlog-normal\tsigma\tgain\tbackground\tall of it\tOD\n"
    "B\t\tnormal\t0.5\t\t\t\tGFP A1; GFP A2\n"
    "\t\t\t\t\t\t\ttemperature\n"
    "\n"
    "conditionId\tname\tk\tA\n"
    "low\tlittle drug\t0.1\t\n"
    "high\t\tk_high\t20\n"
)
TOML = """
[[observables]]
observableId = "total"
formula = "A + 2*B"
noiseDistribution = "log-normal"
noiseFormula = "sigma"
scale = "gain"
offset = "background"
name = "all of it"
column = "OD"

[[observables]]
observableId = "B"
noiseFormula = 0.5
column = ["GFP A1", "GFP A2"]

[[observables]]
column = "temperature"

[[conditions]]
conditionId = "low"
name = "little drug"
values = { k = 0.1 }

[[conditions]]
conditionId = "high"
values = { k = "k_high", A = 20 }
"""
YAML = """
observables:
  - {observableId: total, formula: A + 2*B, noiseDistribution: log-normal, noiseFormula: sigma,
     scale: gain, offset: background, name: all of it, column: OD}
  - {observableId: B, noiseFormula: 0.5, column: [GFP A1, GFP A2]}
  - {column: temperature}
conditions:
  - {conditionId: low, name: little drug, values: {k: 0.1}}
  - {conditionId: high, values: {k: k_high, A: 20}}
"""


def write(tmp_path, text, name):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (TSV, "map.tsv"),
        (TSV.replace(";", "|").replace("\t", ";").replace("A1| GFP A2", "A1"), "map.csv"),
        (TOML, "map.toml"),
        (YAML, "map.yaml"),
        (YAML, "map.yml"),
    ],
)
def test_every_format_says_the_same(tmp_path, text, name):
    mapping = load_mapping(write(tmp_path, text, name), NETWORK)
    total, b = mapping.observables
    formula = add(Symbol("A"), multiply(Number(2.0), Symbol("B")))
    assert total.formula == add(multiply(Symbol("gain"), formula), Symbol("background"))
    assert total.noise == Noise("log-normal", Symbol("sigma"))
    assert (total.name, total.base) == ("all of it", "total")
    assert (b.formula, b.noise) == (Symbol("B"), Noise("normal", Number(0.5)))
    columns = {"OD": "total", "GFP A1": "B", "temperature": None}
    assert dict(mapping.columns) == columns | ({} if name == "map.csv" else {"GFP A2": "B"})
    low, high = mapping.experiments
    assert (low.id, low.name, dict(low.periods[0].values)) == (
        "low",
        "little drug",
        {"k": Number(0.1)},
    )
    assert dict(high.periods[0].values) == {"k": Symbol("k_high"), "A": Number(20.0)}
    assert mapping.unknown == ("background", "gain", "k_high", "sigma")
    assert (mapping.source_name, len(mapping.sha256)) == (name, 64)


DATA = (
    "time,condition,OD [a.u.],GFP A1,GFP A2,temperature\n"
    "0,low,1,0,0.5,37\n1,low,2,1,1.5,37\n0,high,3,0,,37\n"
)
PARAMETERS = tuple(
    ProblemParameter(id, 1.0, 0.01, 100.0) for id in ("background", "gain", "k_high", "sigma")
)


def test_a_problem_is_made_of_model_data_and_mapping(tmp_path):
    data = load_measurements(write(tmp_path, DATA, "data.csv"))
    mapping = load_mapping(write(tmp_path, TSV, "map.tsv"), NETWORK)
    problem = problem_of(NETWORK, data, mapping, PARAMETERS, name="plate")
    m = problem.measurements
    assert (m.observables, m.units) == (("total", "B"), ("a.u.", ""))
    rows = zip(m.observable_index, m.time, m.condition, m.replicate, m.value, strict=True)
    assert [(int(i), float(t), c, r, float(v)) for i, t, c, r, v in rows] == [
        (0, 0.0, "high", "1", 3.0),
        (0, 0.0, "low", "1", 1.0),
        (0, 1.0, "low", "1", 2.0),
        (1, 0.0, "high", "GFP A1 1", 0.0),
        (1, 0.0, "low", "GFP A1 1", 0.0),
        (1, 0.0, "low", "GFP A2 1", 0.5),
        (1, 1.0, "low", "GFP A1 1", 1.0),
        (1, 1.0, "low", "GFP A2 1", 1.5),
    ]
    assert problem.observable["total"].unit == "a.u."
    assert set(problem.experiment) == {"low", "high"}
    assert problem.name == "plate"
    with pytest.raises(FitError, match="noise of observable 'total' uses 'sigma'"):
        problem_of(NETWORK, data, mapping, PARAMETERS[:3])


def test_one_condition_needs_no_name(tmp_path):
    data = load_measurements(write(tmp_path, "time,B\n0,1\n", "data.csv"))
    text = "observableId\tnoiseDistribution\nB\tpoisson\n"
    problem = problem_of(NETWORK, data, load_mapping(write(tmp_path, text, "m.tsv"), NETWORK))
    assert [e.id for e in problem.experiments] == [""]
    assert problem.observable["B"].noise == Noise("poisson")


@pytest.mark.parametrize(("text", "name"), [(TSV, "map.tsv"), (TOML, "map.toml")])
def test_a_column_of_words_is_left_out_in_reading_already(tmp_path, text, name):
    path = write(tmp_path, DATA.replace("37", "warm"), "data.csv")
    with pytest.raises(DataError, match=r"'temperature'.: no cell is a number"):
        load_measurements(path)
    mapping = load_mapping(write(tmp_path, text, name), NETWORK)
    assert dict(mapping.left_out) == {"temperature": None}
    data = load_measurements(path, mapping=mapping.left_out)
    assert problem_of(NETWORK, data, mapping, PARAMETERS).measurements.observables == ("total", "B")


def test_conditions_know_where_they_stand(tmp_path):
    places = {
        name: [e.where for e in load_mapping(write(tmp_path, text, name), NETWORK).experiments]
        for text, name in ((TSV, "map.tsv"), (TOML, "map.toml"))
    }
    assert places == {
        "map.tsv": ["map.tsv, row 8", "map.tsv, row 9"],
        "map.toml": [
            "map.toml, entry 1 of conditions ('low')",
            "map.toml, entry 2 of conditions ('high')",
        ],
    }


@pytest.mark.parametrize(
    ("data", "fragments"),
    [
        (DATA.replace("temperature", "Temp"), ["column 'Temp' of the data is not in the mapping"]),
        (DATA.replace("GFP A2", "GFP B2"), ["names a column 'GFP A2' that the data have not"]),
        (DATA.replace("low", "lov"), ["condition 'lov'", "did you mean 'low'"]),
        ("time,OD,GFP A1,GFP A2,temperature\n0,1,2,3,4\n", ["measurements without a condition"]),
        (
            DATA.replace("GFP A1", "GFP A1 [nM]").replace("GFP A2", "GFP A2 [uM]"),
            ["column 'GFP A2' is in uM, other columns of 'B' are in nM"],
        ),
    ],
)
def test_data_that_do_not_fit(tmp_path, data, fragments):
    measurements = load_measurements(write(tmp_path, data, "data.csv"))
    mapping = load_mapping(write(tmp_path, TSV, "map.tsv"), NETWORK)
    with pytest.raises(DataError) as caught:
        problem_of(NETWORK, measurements, mapping, PARAMETERS)
    assert "data.csv" in str(caught.value)
    for fragment in fragments:
        assert fragment in str(caught.value)


HEAD = "observableId\tformula\tnoiseDistribution\tnoiseFormula\n"
BAD_TABLES = {
    "formula": (HEAD + "x\tA +\t\t1\n", ["row 2, column B ('formula')", "cannot be read"]),
    "no formula": (HEAD + "x\t\t\t1\n", ["row 2", "'x' has no formula and is no symbol of model"]),
    "no noise": (HEAD + "B\t\t\t\n", ["row 2", "needs noiseFormula, its standard deviation"]),
    "noise name": (
        HEAD + "B\t\tgaussian\t1\n",
        ["row 2, column C", "'gaussian' is unknown", "normal, laplace"],
    ),
    "needless noise": (HEAD + "B\t\tpoisson\t1\n", ["row 2, column D", "has no noiseFormula"]),
    "negative noise": (HEAD + "B\t\t\t-1\n", ["row 2, column D", "it must be positive"]),
    "bad id": (HEAD + "B 1\tB\t\t1\n", ["row 2, column A", "'B 1' is no id"]),
    "unknown key": (
        "observableId\tnoiseFormla\nB\t1\n",
        ["row 2, column B", "'noiseFormla' is not known (did you mean 'noiseFormula'"],
    ),
    "twice": (HEAD + "B\t\t\t1\nB\t\t\t1\n", ["observable 'B' is there 2 times"]),
    "no id": (HEAD + "\tA\t\t1\n", ["row 2", "observableId is missing"]),
    "no header": ("name\tformula\n", ["row 1: a header with the column observableId"]),
    "stray": (HEAD + "B\t\t\t1\t2\n", ["row 2, column E: the header has no name here"]),
    "two columns": (
        "observableId\tformula\tformula\nB\tA\tA\n",
        ["row 1: the column 'formula' is there twice"],
    ),
    "nothing": (HEAD, ["there is no observable"]),
    "condition": (
        HEAD + "B\t\t\t1\nconditionId\tq\nlow\t1\n",
        ["row 4, column B ('q'): it sets 'q', which model"],
    ),
    "condition of a rule": (
        HEAD + "B\t\t\t1\nconditionId\tdouble\nlow\t1\n",
        ["row 4, column B ('double'): it sets 'double', which an assignment rule gives"],
    ),
    "condition of a reaction": (
        HEAD + "B\t\t\t1\nconditionId\tJ\nlow\t1\n",
        ["row 4, column B ('J'): it sets 'J', which is no parameter, species or compartment"],
    ),
    "condition twice": (
        HEAD + "B\t\t\t1\nconditionId\tk\nlow\t1\nlow\t2\n",
        ["condition 'low' is there 2 times"],
    ),
    "value": (
        HEAD + "B\t\t\t1\nconditionId\tk\nlow\tmuch of it\n",
        ["row 4, column B ('k')", "'much of it' cannot be read"],
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_tables_that_cannot_be_used(tmp_path, case):
    text, fragments = BAD_TABLES[case]
    with pytest.raises(DataError) as caught:
        load_mapping(write(tmp_path, text, "map.tsv"), NETWORK)
    assert str(caught.value).startswith("map.tsv:")
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "fragments"),
    [
        ("observables = 3", "m.toml", ["observables must be a list"]),
        ("[[observable]]\nobservableId = 'B'", "m.toml", ["'observable' is not known here"]),
        ("x = \ny = 1", "m.toml", ["this is no TOML", "line 1"]),
        ("[[observables]]\nobservableId = true", "m.toml", ["entry 1 of observables", "True"]),
        (
            "[[observables]]\nobservableId = 'B'\nnoiseFormula = nan",
            "m.toml",
            ["entry 1 of observables ('B'), key 'noiseFormula': found nan"],
        ),
        ("- B", "m.yaml", ["a table with observables and conditions is expected"]),
        ("observables: [B]", "m.yaml", ["entry 1 of observables must be a table"]),
        ("observables: [", "m.yaml", ["this is no YAML"]),
        ("{}", "m.json", ["a mapping file is one of", ".toml"]),
    ],
)
def test_lists_that_cannot_be_used(tmp_path, text, name, fragments):
    with pytest.raises(DataError) as caught:
        load_mapping(write(tmp_path, text, name), NETWORK)
    assert str(caught.value).startswith(f"{name}:")
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_all_problems_are_listed_at_once(tmp_path):
    text = HEAD + "x\tA +\tpoison\t1\ny\t\t\t\n"
    with pytest.raises(DataError) as caught:
        load_mapping(write(tmp_path, text, "map.tsv"), NETWORK)
    assert len(str(caught.value).splitlines()) == 5
