"""What `sbmlgrad convert` does; the options are in `cli`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path


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
