"""The YAML file of a PEtab problem: which files it is made of, in either version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sbmlgrad.errors import DataError
from sbmlgrad.io.files import read_bytes

#: Name of our extension of PEtab 2, and its version.
EXTENSION, EXTENSION_VERSION = "sbmlgrad", "1.0.0"

#: What the extension says besides settings of the solution.
VISUALIZATION, TIME_UNIT, NAME = "visualization_files", "time_unit", "name"
RESERVED = ("version", "required", VISUALIZATION, TIME_UNIT, NAME, "initial", "mass_action")


@dataclass(frozen=True, slots=True)
class Files:
    """What a PEtab problem is made of.

    Attributes:
        yaml: path of its YAML file.
        version: 1 or 2.
        name: of the problem.
        model: path of the model.
        parameters, conditions, experiments, measurements, observables, mappings, visualizations:
            paths of tables.
        extension: what our extension says; empty where it is not declared.
    """

    yaml: Path
    version: int
    name: str
    model: Path
    parameters: tuple[Path, ...]
    conditions: tuple[Path, ...]
    experiments: tuple[Path, ...]
    measurements: tuple[Path, ...]
    observables: tuple[Path, ...]
    mappings: tuple[Path, ...]
    visualizations: tuple[Path, ...]
    extension: Mapping[str, Any]

    @property
    def settings(self) -> dict[str, object]:
        """How to solve the problem, as far as its files say so."""
        return {k: v for k, v in self.extension.items() if k not in RESERVED}


def read_config(path: str | Path) -> Files:
    """Read the YAML file of a PEtab problem; checks it against the schema of its version.

    Args:
        path: the file.

    Raises:
        UnreadableFileError: it is missing.
        DataError: it is no YAML, is none of PEtab 1 or 2, names several models or problems, files
            elsewhere on the network, or an extension without which it means something else.
    """
    yaml = Path(path)
    document = _document(yaml)
    version = _version(yaml, document)
    problems: list[str] = []
    if version == 1:
        files = _version_1(yaml, document, problems)
    else:
        files = _version_2(yaml, document, problems)
    locations = [str(p) for p in document_files(files)]
    problems += [
        f"it names {text!r}, and files are not fetched from the network; put them beside it"
        for text in locations
        if re.search(r"\w{2,}:/", text)
    ]
    if problems:
        raise DataError(f"{yaml.name}: " + "\n  - ".join(["it cannot be read:", *problems]))
    return files


def document_files(files: Files) -> tuple[Path, ...]:
    """Return every file that a problem names, the YAML file left out."""
    tables = (files.parameters, files.conditions, files.experiments, files.measurements)
    others = (files.observables, files.mappings, files.visualizations)
    return (files.model, *(path for group in (*tables, *others) for path in group))


def _document(yaml: Path) -> dict[str, Any]:
    import yaml as yaml_module

    data = read_bytes(yaml)
    try:
        document = yaml_module.safe_load(data)
    except yaml_module.YAMLError as error:
        raise DataError(f"{yaml.name}: it is no YAML ({error}); name the problem's .yaml") from None
    if not isinstance(document, dict) or "format_version" not in document:
        raise DataError(
            f"{yaml.name}: it has no 'format_version', so it is no PEtab problem; name the .yaml "
            "file of one"
        )
    return document


def _version(yaml: Path, document: Mapping[str, Any]) -> int:
    """Return the major version; the library holds the schemas."""
    import jsonschema
    from petab.v1.yaml import validate_yaml_syntax
    from petab.versions import get_major_version

    try:
        version = get_major_version(dict(document))
        if version in (1, 2):
            validate_yaml_syntax(dict(document))
    except jsonschema.ValidationError as error:
        place = "/".join(map(str, error.absolute_path)) or "the top level"
        raise DataError(f"{yaml.name}, at {place}: {error.message}") from None
    except (ValueError, TypeError) as error:
        raise DataError(f"{yaml.name}: format_version cannot be used ({error})") from None
    if version not in (1, 2):
        raise DataError(f"{yaml.name}: PEtab version {version} is unknown; 1 and 2 are read")
    return version


def _version_1(yaml: Path, document: Mapping[str, Any], problems: list[str]) -> Files:
    parts = document["problems"]
    if len(parts) != 1:
        problems.append(f"it holds {len(parts)} problems; give each a file of its own")
    part = parts[0] if parts else {}
    models = part.get("sbml_files") or []
    if len(models) != 1:
        problems.append(f"it names {len(models)} models; one is needed")
    parameters = document["parameter_file"]
    return Files(
        yaml=yaml,
        version=1,
        name=yaml.stem,
        model=_beside(yaml, models[:1] or [""])[0],
        parameters=_beside(yaml, parameters if isinstance(parameters, list) else [parameters]),
        conditions=_beside(yaml, part.get("condition_files")),
        experiments=(),
        measurements=_beside(yaml, part.get("measurement_files")),
        observables=_beside(yaml, part.get("observable_files")),
        mappings=(),
        visualizations=_beside(yaml, part.get("visualization_files")),
        extension=MappingProxyType({}),
    )


def _version_2(yaml: Path, document: Mapping[str, Any], problems: list[str]) -> Files:
    models = document["model_files"]
    if len(models) != 1:
        problems.append(f"it names {len(models)} models; one is needed")
    for id, model in models.items():
        if model["language"] != "sbml":
            problems.append(f"model {id!r} is written in {model['language']!r}; SBML is read")
    extensions = document.get("extensions") or {}
    for name, extension in extensions.items():
        if name != EXTENSION and extension["required"]:
            problems.append(
                f"it requires the extension {name!r}, without which it means something else"
            )
    own = extensions.get(EXTENSION, {})
    locations = [model["location"] for model in models.values()]
    return Files(
        yaml=yaml,
        version=2,
        name=own.get(NAME) or document.get("id") or yaml.stem,
        model=_beside(yaml, locations[:1] or [""])[0],
        parameters=_beside(yaml, document["parameter_files"]),
        conditions=_beside(yaml, document.get("condition_files")),
        experiments=_beside(yaml, document.get("experiment_files")),
        measurements=_beside(yaml, document["measurement_files"]),
        observables=_beside(yaml, document["observable_files"]),
        mappings=_beside(yaml, document.get("mapping_files")),
        visualizations=_beside(yaml, own.get(VISUALIZATION)),
        extension=MappingProxyType(dict(own)),
    )


def _beside(yaml: Path, names: list[str] | None) -> tuple[Path, ...]:
    return tuple(yaml.parent / str(name) for name in names or ())
