"""PEtab files that are wrong or mean too much: refused by file, row and column, all at once."""

from __future__ import annotations

import pytest

import sbmlgrad as sg
from sbmlgrad.errors import DataError, FitError, RequestError, UnreadableFileError
from sbmlgrad.io.petab import load_petab

#: Version, table, what to replace and by what, and what the message must say.
FAULTS = {
    "steady state": (1, "measurements", "11;0;;;d1", "11;inf;;;d1", "row 2, column time.*steady"),
    "negative time": (1, "measurements", "11;0;;;d1", "11;-1;;;d1", "row 2, column time: -1"),
    "no number": (1, "measurements", "11;0;;;d1", "x;0;;;d1", "row 2, column measurement: 'x'"),
    "no value": (1, "measurements", "11;0;;;d1", ";0;;;d1", "row 2, column measurement: it is em"),
    "unknown observable": (1, "measurements", "left;;high", "lefd;;high", "'lefd'.*mean 'left'"),
    "unknown condition": (1, "measurements", "both;rest;", "both;rust;", "'rust'.*mean 'rest'"),
    "too few overrides": (
        *(1, "measurements", "2;scale_1;sd", "2;;sd"),
        "row 5, column observableParameters: it gives 0 values.*observableParameter1_made",
    ),
    "too many overrides": (1, "measurements", "11;0;;;d1", "11;0;k;;d1", "row 2.*gives 1 values"),
    "unknown override": (
        1,
        "measurements",
        "2;scale_1;sd",
        "2;scale_1;ad",
        "noiseParameters: 'ad'",
    ),
    "unknown scale": (1, "parameters", ";log10;1e-3", ";ln;1e-3", "parameterScale: 'ln'.*log10"),
    "bounds": (1, "parameters", "1e-3;1e3;0.5", "a;1e3;0.5", "row 2, column lowerBound: 'a'"),
    "estimate": (1, "parameters", "1e3;0.5;1", "1e3;0.5;maybe", "column estimate: 'maybe'"),
    "twice": (1, "parameters", "scale_2;;lin", "scale_1;;lin", "'scale_1' is there twice"),
    "id": (1, "parameters", "scale_2;;lin", "scale 2;;lin", "'scale 2' is no id"),
    "no fixed value": (1, "parameters", "lin;;;12;0", "lin;;;;0", "row 5, column nominalValue"),
    "formula": (
        1,
        "observables",
        "both;A + B",
        "both;A +",
        "row 2, column observableFormula: .*A ",
    ),
    "symbol": (1, "observables", "both;A + B", "both;A + C", "observableFormula: 'C'"),
    "function": (1, "observables", "both;A + B", "both;floor(A)", "no function 'floor'"),
    "noise": (1, "observables", "log10;normal", "log10;cauchy", "noiseDistribution: 'cauchy'"),
    "transformation": (1, "observables", "log10;normal", "log2;normal", "Transformation: 'log2'"),
    "target": (1, "conditions", "conditionName;a0", "conditionName;a1", "row 2, column a1.*mean"),
    "ruled target": (1, "conditions", "conditionName;a0", "conditionName;half", "assignment rule"),
    "reaction": (1, "conditions", "conditionName;a0", "conditionName;J", "no parameter, species"),
    "condition's value": (1, "conditions", "dose;start", "dose;stort", "'stort'.*mean 'start'"),
    "prior": (2, "parameters", "log-normal;-0.7", "log-cauchy;-0.7", "priorDistribution: 'log-"),
    "prior's numbers": (2, "parameters", "-0.7,0.5", "-0.7", "priorParameters: .*takes 2 numbers"),
    "prior without name": (2, "parameters", "true;log-normal", "true;", "it is empty, but"),
    "experiment": (2, "measurements", "both;once;11;", "both;ones;11;", "'ones'.*mean 'once'"),
    "condition": (2, "experiments", "once;0;low", "once;0;lew", "'lew'.*mean 'low'"),
    "only before": (2, "experiments", "once;0;low", "once;-inf;low", "ends with its pre-equil"),
    "before it begins": (2, "experiments", "once;0;low", "once;3;low", "begins at 3.0 only"),
    "late period": (2, "experiments", "once;0;low", "once;inf;low", "cannot begin at infinity"),
    "set twice": (2, "conditions", "more;B;4", "more;A;4", "two conditions at time 2.5 set 'A'"),
    "twice in one": (2, "conditions", "low;u;0", "low;a0;0", "the condition sets 'a0' twice"),
    "column": (
        2,
        "observables",
        "noiseFormula;",
        "noiseFormulas;",
        "no column 'noiseFormula'.*mean 'noiseFormulas'",
    ),
    "wide row": (2, "conditions", "rest;u;1", "rest;u;1;2", "conditions.tsv, row 2: 4 cells"),
    "model id": (
        *(2, "measurements", "both;once;11;0;;;a", "both;once;11;0;;;a;m"),
        "row 2: 8 cells",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_refused_by_its_place(name, petab_folder, replaced) -> None:
    version, table, old, new, word = FAULTS[name]
    text = replaced(version, f"{table}.tsv", old, new)
    with pytest.raises(DataError, match=word) as error:
        load_petab(petab_folder(version, **{table: text}))
    # A fault shows where it does harm, which may be the table that uses another.
    others = ("measurements.tsv, row", "experiments.tsv, row")
    assert any(place in str(error.value) for place in (f"{table}.tsv", *others))


def test_all_faults_are_reported_at_once(petab_folder, replaced) -> None:
    changed = {
        table: replaced(1, f"{table}.tsv", *FAULTS[name][2:4])
        for name, table in (
            ("no number", "measurements"),
            ("unknown scale", "parameters"),
            ("formula", "observables"),
            ("condition's value", "conditions"),
        )
    }
    with pytest.raises(DataError) as error:
        load_petab(petab_folder(1, **changed))
    for table in changed:
        assert f"{table}.tsv, row" in str(error.value)


SECOND = (
    "- {condition_files: [], measurement_files: [], observable_files: [], sbml_files: [a.xml]}\n"
)

YAML = {
    "several models": (
        *(2, "m: {location: model.xml, language: sbml}"),
        "m: {location: model.xml, language: sbml}, n: {location: model.xml, language: sbml}",
        "names 2 models",
    ),
    "another language": (2, "language: sbml", "language: bngl", "'bngl'; SBML is read"),
    "a required extension": (
        *(
            2,
            "parameter_files",
            "extensions: {x: {version: 1.0.0, required: true}}\nparameter_files",
        ),
        "requires the extension 'x'",
    ),
    "several problems": (
        1,
        "problems:\n",
        f"problems:\n{SECOND}",
        "holds 2 problems",
    ),
    "from the network": (1, "[model.xml]", "['https://a.b/model.xml']", "not fetched"),
    "missing files": (1, "[conditions.tsv]", "[conds.tsv]", "conds.tsv: there is no such file"),
    "unknown version": (2, "2.0.0", "3.0.0", "version 3 is unknown"),
    "no version": (2, "format_version: 2.0.0", "a: 1", "no 'format_version'"),
    "a wrong key": (2, "id: small", "name: small", "top level"),
    "no YAML": (2, "id: small", "id: [small", "no YAML"),
}


@pytest.mark.parametrize("name", YAML)
def test_yaml_files_that_cannot_be_used_are_refused(name, petab_folder, replaced) -> None:
    version, old, new, word = YAML[name]
    text = replaced(version, "problem.yaml", old, new)
    with pytest.raises(DataError, match=word) as error:
        load_petab(petab_folder(version, problem=text))
    assert "problem.yaml" in str(error.value)


def test_local_names_must_be_there(petab_folder, replaced) -> None:
    yaml = replaced(
        2, "problem.yaml", "parameter_files", "mapping_files: [map.tsv]\nparameter_files"
    )
    text = "petabEntityId;modelEntityId\nq;J.q\n"
    with pytest.raises(DataError, match=r"map.tsv, row 2, column modelEntityId: .*'J.q'"):
        load_petab(petab_folder(2, problem=yaml, map=text))


def test_priors_that_contradict_each_other_are_refused(petab_folder) -> None:
    text = """
parameterId;lowerBound;upperBound;estimate;parameterScale;priorDistribution;priorParameters;objectivePriorType;objectivePriorParameters
k;1e-3;1e3;true;log10;log-normal;1,2;parameterScaleNormal;1,2
scale_1;0.1;10;true;log;log-normal;1,2;parameterScaleNormal;1,2
scale_2;0.1;10;true;;;;;
start;0.1;10;true;;;;;
sd;0.1;10;true;;;;;
"""
    with pytest.raises(DataError, match="contradicts") as error:
        load_petab(petab_folder(2, parameters=text))
    assert str(error.value).count("  - ") == 1
    assert "row 2, column priorDistribution" in str(error.value)


def test_bounds_that_contradict_each_other_are_refused(petab_folder, replaced) -> None:
    text = replaced(1, "parameters.tsv", "1e-3;1e3;0.5", "1;1e3;0.5")
    with pytest.raises(FitError, match=r"'k' starts at 0\.5, outside its bounds"):
        load_petab(petab_folder(1, parameters=text))


def test_a_problem_without_measurements_is_refused(petab_folder) -> None:
    text = "observableId;simulationConditionId;measurement;time\n"
    with pytest.raises(DataError, match="no measurement"):
        load_petab(petab_folder(1, measurements=text))


def test_tables_that_are_no_text_are_refused(petab_folder) -> None:
    path = petab_folder(1)
    (path.parent / "conditions.tsv").write_bytes(b"conditionId\n\xff\xfe")
    with pytest.raises(DataError, match=r"conditions.tsv: it is no UTF-8"):
        load_petab(path)
    (path.parent / "conditions.tsv").write_bytes(b"")
    with pytest.raises(DataError, match=r"conditions.tsv: it is empty"):
        load_petab(path)


def test_other_arguments_are_refused(tmp_path) -> None:
    with pytest.raises(RequestError, match="path of the problem"):
        load_petab({"format_version": 1})  # type: ignore[arg-type]
    with pytest.raises(UnreadableFileError):
        load_petab(tmp_path / "none.yaml")
    assert issubclass(DataError, sg.SbmlGradError)
