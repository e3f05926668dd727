"""Small PEtab problems in text, whose tables tests change cell by cell."""

from __future__ import annotations

import pytest
from networks import antimony

import sbmlgrad as sg

MODEL = """
  species A in cell, B in cell;
  A = a0; B = 0; a0 = 10; k = 0.5; d = 0.1; u = 0; half := k/2;
  J: A -> B; k*A; D: B -> ; d*B; U: -> A; u;
"""

VERSION_1 = {
    "problem.yaml": """
format_version: 1
parameter_file: parameters.tsv
problems:
- condition_files: [conditions.tsv]
  measurement_files: [measurements.tsv]
  observable_files: [observables.tsv]
  sbml_files: [model.xml]
""",
    "parameters.tsv": """
parameterId;parameterName;parameterScale;lowerBound;upperBound;nominalValue;estimate
k;k_{on};log10;1e-3;1e3;0.5;1
scale_1;;log;0.1;10;2;1
scale_2;;lin;0;10;3;1
start;;lin;;;12;0
sd;;log10;0.01;10;0.2;1
""",
    "conditions.tsv": """
conditionId;conditionName;a0;u;B
rest;resting;10;1;
low;low dose;start;0;
high;;20;0.5;4
""",
    "observables.tsv": """
observableId;observableFormula;noiseFormula;observableTransformation;noiseDistribution
both;A + B;1;;
made;observableParameter1_made*B + 0.1;noiseParameter1_made;log10;normal
left;A/half;0.1*left;log;laplace
""",
    "measurements.tsv": """
observableId;preequilibrationConditionId;simulationConditionId;measurement;time;observableParameters;noiseParameters;datasetId
both;;low;11;0;;;d1
both;;low;11.5;0;;;d1
both;rest;high;9;4;;;d2
made;;low;5;2;scale_1;sd;d1
made;;low;6;3;scale_1;sd;d1
made;;high;7;2;scale_2;0.3;d3
left;;high;7;2;;;d3
""",
}

VERSION_2 = {
    "problem.yaml": """
format_version: 2.0.0
id: small
model_files: {m: {location: model.xml, language: sbml}}
parameter_files: [parameters.tsv]
condition_files: [conditions.tsv]
experiment_files: [experiments.tsv]
measurement_files: [measurements.tsv]
observable_files: [observables.tsv]
""",
    "parameters.tsv": """
parameterId;lowerBound;upperBound;nominalValue;estimate;priorDistribution;priorParameters
k;1e-3;1e3;0.5;true;log-normal;-0.7,0.5
scale_1;0.1;10;2;true;;
scale_2;0;10;3;true;uniform;0,10
start;;;12;false;;
sd;0.01;10;;true;gamma;2,0.1
""",
    "conditions.tsv": """
conditionId;targetId;targetValue
rest;u;1
low;a0;start
low;u;0
high;A;2*start
more;B;4
""",
    "experiments.tsv": """
experimentId;time;conditionId
once;0;low
twice;-inf;rest
twice;0;low
twice;2.5;high
twice;2.5;more
""",
    "observables.tsv": """
observableId;observableFormula;noiseFormula;noiseDistribution;observablePlaceholders;noisePlaceholders
both;A + B;1;;;
made;f*B + 0.1;s;log-normal;f;s
""",
    "measurements.tsv": """
observableId;experimentId;measurement;time;observableParameters;noiseParameters;replicateId
both;once;11;0;;;a
both;once;11.5;0;;;b
both;;9;4;;;
made;twice;5;2;scale_1;sd;
made;twice;7;3;scale_2;0.3;
""",
}


@pytest.fixture(scope="session")
def model_xml(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "model.xml"
    sg.save(antimony(MODEL), path)
    return path.read_bytes()


def tabbed(name: str, text: str) -> str:
    """Return a table written with semicolons (and commas within a cell) as PEtab has it."""
    if not name.endswith(".tsv"):
        return text.lstrip()
    return text.lstrip().replace(";", "\t").replace(",", ";")


@pytest.fixture
def petab_folder(tmp_path, model_xml):
    """Write the files of a version, some replaced or (None) left out; return the YAML's path."""

    def write(version: int = 1, **changed: str | None):
        files = dict(VERSION_1 if version == 1 else VERSION_2)
        for stem, text in changed.items():
            files[f"{stem}.yaml" if stem == "problem" else f"{stem}.tsv"] = text
        (tmp_path / "model.xml").write_bytes(model_xml)
        for name, text in files.items():
            if text is not None:
                (tmp_path / name).write_text(tabbed(name, text), encoding="utf-8")
        return tmp_path / "problem.yaml"

    return write


@pytest.fixture
def replaced():
    """Return a table of a version with one piece of text replaced, which must be there."""

    def replace(version: int, table: str, old: str, new: str) -> str:
        text = (VERSION_1 if version == 1 else VERSION_2)[table]
        assert text.count(old) == 1
        return text.replace(old, new)

    return replace
