"""`sbmlgrad fit --omex`: everything of a fit in one COMBINE archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def check_archive(path: Path) -> None:
    """Raise a `WriteError` for an archive that could not be written after the fit."""
    from sbmlgrad.errors import WriteError
    from sbmlgrad.io.files import check_folder

    if path.suffix.lower() != ".omex":
        raise WriteError(f"{path}: a COMBINE archive is called .omex; rename it")
    if not path.parent.is_dir():
        raise WriteError(f"{path}: there is no folder '{path.parent}'; make it first")
    check_folder(path.parent)


def write_fit_archive(result: Any, out: Path, path: Path) -> None:
    """Pack calibrated model, original, simulation, provenance and the results folder."""
    from sbmlgrad.io.calibration_archive import calibration_description, calibration_entries
    from sbmlgrad.io.omex import folder_entries, write_archive
    from sbmlgrad.io.sedml import Curve, TimeCourse

    used = {id for _, id in result.curves}
    curves = [Curve(o.id, o.formula, o.name) for o in result.problem.observables if o.id in used]
    ends = [float(curve.times[-1]) for curve in result.curves.values()]
    method = "ode" if result.is_deterministic else "ssa"
    own = set(result.model.parameter_ids)
    fixed = {p.id: p.nominal for p in result.problem.parameters}
    # States of work that can go on are no results.
    results = folder_entries(out, "results")
    entries = calibration_entries(
        result.model,
        (out / "calibrated.xml").read_bytes(),
        curves,
        TimeCourse(max(ends, default=1.0), methods=(method,)),
        constants={id: v for id, v in {**fixed, **result.values}.items() if id not in own},
        files=[e for e in results if not e.location.endswith((".npz", ".jsonl"))],
    )
    name = result.model.name or result.model.id
    write_archive(path, entries, calibration_description(name, result.model.provenance))
