"""What `sbmlgrad convert` does; the options are in `app`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Conversion:
    """What to make of a model.

    Attributes:
        model: file to read.
        out: file to write.
        normalised: write what referees are fed.
        level: level and version of SBML, such as `3.2`; None leaves it as it is.
        flatten: merge submodels.
        overwrite: whether `out` may be the file that is read.
        substance, initial, mass_action: as for `load`; only the normalised form depends on them.
    """

    model: Path
    out: Path
    normalised: bool = False
    level: str | None = None
    flatten: bool = False
    overwrite: bool = False
    substance: str | None = None
    initial: str = "strict"
    mass_action: str = "as_written"


def converted(conversion: Conversion) -> tuple[bytes, str]:
    """Return what is to be written and a description of it; writes nothing.

    Raises:
        RequestError: options that do not go together, or `out` is the file that is read.
        SbmlGradError: the model cannot be read, or not be written in this form.
    """
    from sbmlgrad.io.formats import ANTIMONY_DIGITS, document_bytes, format_of

    what = [format_of(conversion.out)]
    target = _level(conversion)
    _refuse_overwriting(conversion)
    if conversion.normalised:
        document = _normalised(conversion)
        what.append("normalised")
    else:
        document = _as_it_stands(conversion)
    if conversion.flatten:
        what.append("flat")
    if target is not None:
        from sbmlgrad.io.sbml.levels import at_level

        document = at_level(document, *target, name=str(conversion.model))
        what.append(f"level {target[0]} version {target[1]}")
    if what[0] == "Antimony":
        what.append(f"numbers to {ANTIMONY_DIGITS} digits")
    return document_bytes(document, conversion.out), ", ".join(what)


def _level(conversion: Conversion) -> tuple[int, int] | None:
    from sbmlgrad.errors import RequestError
    from sbmlgrad.io.formats import format_of

    options = (conversion.substance, conversion.initial, conversion.mass_action)
    if not conversion.normalised and options != (None, "strict", "as_written"):
        raise RequestError(
            "--substance, --initial and --mass-action decide what counts are, which only "
            "--normalised writes; leave them out, or add --normalised"
        )
    if conversion.level is None:
        return None
    if format_of(conversion.out) == "Antimony":
        raise RequestError(f"--level {conversion.level}: Antimony has no levels; leave it out")
    found = re.fullmatch(r"([0-9])\.([0-9])", conversion.level)
    if found is None:
        raise RequestError(
            f"--level {conversion.level}: give level and version with a dot between, such as 3.2"
        )
    return int(found[1]), int(found[2])


def _refuse_overwriting(conversion: Conversion) -> None:
    from sbmlgrad.errors import RequestError

    same = os.path.realpath(conversion.model) == os.path.realpath(conversion.out)
    if same and not conversion.overwrite:
        raise RequestError(
            f"{conversion.out} is the model itself and would be lost; name another file, or add "
            "--overwrite"
        )


def _normalised(conversion: Conversion) -> bytes:
    from sbmlgrad.codegen.lowering import lower
    from sbmlgrad.io.formats import load
    from sbmlgrad.io.sbml.normalised import normalised_sbml

    network = load(
        conversion.model,
        substance=conversion.substance,
        initial=conversion.initial,
        mass_action=conversion.mass_action,
    )
    return normalised_sbml(lower(network))


def _as_it_stands(conversion: Conversion) -> bytes:
    from sbmlgrad.errors import RequestError
    from sbmlgrad.io.formats import format_of, read_document
    from sbmlgrad.io.sbml.levels import flattened, has_submodels

    document, name = read_document(conversion.model), str(conversion.model)
    if conversion.flatten:
        return flattened(document, conversion.model.parent, name=name)
    is_copy = format_of(conversion.out) == "SBML" and conversion.level is None
    if has_submodels(document, name=name) and not is_copy:
        raise RequestError(
            f"{name} is composed of submodels, which would be merged; add --flatten if that is "
            "meant"
        )
    return document


def refuse_beside_data(
    data: Path | None,
    given: Mapping[str, Any],
    *,
    normalised: bool,
    level: str | None,
    flatten: bool,
) -> Path:
    """Return the measurements of which a PEtab problem is made, if other options allow that.

    Args:
        data: the file, if one was given.
        given: option → value, of those that say how a problem is made of it.
        normalised: as for `Conversion`.
        level: likewise.
        flatten: likewise.

    Raises:
        RequestError: options that have no meaning beside `--data`, or without it.
    """
    from sbmlgrad.errors import RequestError

    if data is None:
        names = sorted(name for name, value in given.items() if value)
        words = "means something with --data only; leave it out, or name the measurements"
        if len(names) > 1:
            words = words.replace("means", "mean").replace("it out", "them out")
        raise RequestError(f"convert {', '.join(names)}: {words}")
    beside = {"--normalised": normalised, "--level": level, "--flatten": flatten}
    stray = [name for name, value in beside.items() if value]
    if stray:
        raise RequestError(
            "convert --data: a PEtab problem holds the model as it is; leave out "
            f"{', '.join(stray)}"
        )
    return data


@dataclass(frozen=True, slots=True)
class PetabConversion:
    """What to make of a model and a sheet of measurements.

    Attributes:
        model: file to read.
        data: table of measurements.
        free: parameters to estimate; None frees all that a kinetic law uses.
        bounds: id → (lower, upper).
        start: id → value.
        mapping: file that says what columns and conditions of the data are.
        reading: arguments of `load_measurements`, such as a mapping of columns.
        substance, initial, mass_action: as for `load`.
        overwrite: whether files of the problem may replace others, the model that is read among
            them.
    """

    model: Path
    data: Path
    free: Sequence[str] | None = None
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    start: Mapping[str, float] = field(default_factory=dict)
    mapping: Path | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)
    substance: str | None = None
    initial: str = "strict"
    mass_action: str = "as_written"
    overwrite: bool = False


def petab_problem(conversion: PetabConversion) -> tuple[Any, tuple[str, ...]]:
    """Return the calibration problem that a model and a sheet make, and what was assumed.

    It is the one that `fit` makes of them.

    Raises:
        SbmlGradError: model or sheet cannot be read, or do not fit together.
    """
    from sbmlgrad.cli.fit_problem import problem_of_files

    return problem_of_files(
        conversion.model,
        conversion.data,
        {
            "substance": conversion.substance,
            "initial": conversion.initial,
            "mass_action": conversion.mass_action,
        },
        dict(conversion.reading),
        {"free": conversion.free, "bounds": conversion.bounds, "start": conversion.start},
        mapping=conversion.mapping,
        is_snapshots=False,
    )


def write_petab_folder(
    conversion: PetabConversion, folder: Path, *, dry_run: bool = False
) -> tuple[str, tuple[str, ...]]:
    """Write a model and a sheet as a PEtab 2 problem; what `convert --to petab` does.

    Args:
        conversion: what to make of what.
        folder: where.
        dry_run: check everything and write nothing.

    Returns:
        A description of what is written, and what was assumed, in words.

    Raises:
        RequestError: a file that is there would be overwritten.
        SbmlGradError: as `petab_problem` and `sbmlgrad.io.petab.write_petab` raise it.
    """
    from sbmlgrad.io.files import check_folder
    from sbmlgrad.io.petab import petab_files, write_petab

    problem, assumptions = petab_problem(conversion)
    check_folder(folder)
    _refuse_losing(conversion, [folder / name for name in petab_files(problem)])
    if not dry_run:
        write_petab(problem, folder)
    what = (
        f"PEtab 2, {len(problem.measurements)} measurements of {len(problem.observables)} "
        f"observables, {len(problem.free)} parameters to estimate"
    )
    return what, assumptions


def _refuse_losing(conversion: PetabConversion, places: Sequence[Path]) -> None:
    """Refuse to replace files: inputs at all, but for the model, and others unasked."""
    from sbmlgrad.errors import RequestError

    plate_map = conversion.reading.get("plate_map")
    inputs = [conversion.model, conversion.data, conversion.mapping, plate_map and Path(plate_map)]
    for place in places:
        for path in inputs:
            is_lost = path is not None and place.exists() and place.samefile(path)
            if is_lost and not (conversion.overwrite and path is conversion.model):
                more = ", or add --overwrite" if path is conversion.model else ""
                raise RequestError(
                    f"{path}: is read, and the problem would replace it by its own {place.name}; "
                    f"name another folder{more}"
                )
        if os.path.lexists(place) and not conversion.overwrite:
            raise RequestError(
                f"{place}: is there already, and the problem would replace it; name another "
                "folder, or add --overwrite"
            )
