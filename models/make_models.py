"""Write the shipped models, their data and the table that lists them.

Run `python models/make_models.py` after a change to the descriptions, and
`python models/make_models.py --check` to learn whether the files agree with them.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import dimerization_counts
import influenza
from catalogue import MODELS
from description import Model
from sbml_document import findings, sbml_bytes

_README_HEAD = """\
# Shipped models

Written by `python models/make_models.py`; do not edit by hand. `--check` tells whether the files
agree with the descriptions in `catalogue.py` and the modules that it imports.

Each file is SBML level 3 version 1. All species are counts (unit item, `hasOnlySubstanceUnits`),
so no law depends on a volume. Units, names, ontology terms and the source stand in each file. A
reversible reaction counts once in the table and is fired forwards and backwards separately.
"""
_README_DATA = """\

## Data

`data/{name}.csv` and `data/{name}.xlsx` hold the same table: columns
`time` (days since 22 January 1978) and `I` (boys confined to bed, of 763), {days} rows. The column
is named after the species of `sir` that it measures. The spreadsheet has one sheet, `{sheet}`; its
source stands in the workbook's properties.

Source: Anonymous. {citation}.

`data/{counts}.csv` holds synthetic measurements for examples: `time` in seconds and three
replicates of `C` of `dimerization`, each the mean over {trajectories} exact trajectories, rounded
to one decimal.
"""


def contents() -> dict[str, bytes]:
    """Return every file: path below the models folder → bytes."""
    files = {f"sbml/{model.id}.xml": sbml_bytes(model) for model in MODELS}
    files[f"data/{influenza.NAME}.csv"] = influenza.csv_bytes()
    files[f"data/{influenza.NAME}.xlsx"] = influenza.xlsx_bytes()
    files[f"data/{dimerization_counts.NAME}.csv"] = dimerization_counts.csv_bytes()
    files["README.md"] = _readme().encode()
    return files


def _readme() -> str:
    data = _README_DATA.format(
        name=influenza.NAME,
        days=len(influenza.IN_BED),
        sheet=influenza.SHEET,
        citation=influenza.CITATION,
        counts=dimerization_counts.NAME,
        trajectories=dimerization_counts.TRAJECTORIES,
    )
    header = "| id | model | reactions | unit of time | what it is for | described by |\n"
    rows = "".join(_row(model) for model in MODELS)
    return f"{_README_HEAD}\n{header}|---|---|---|---|---|---|\n{rows}{data}"


def _row(model: Model) -> str:
    link = f"[doi:{model.doi}](https://doi.org/{model.doi})"
    return (
        f"| [`{model.id}`](sbml/{model.id}.xml) | {model.name} | {len(model.reactions)} | "
        f"{model.time} | {model.purpose} | {link} |\n"
    )


def differences(files: Mapping[str, bytes], folder: Path) -> Iterator[str]:
    """Name every file in the folder that is missing, different, or not among the given ones."""
    for name, wanted in files.items():
        path = folder / name
        if not path.is_file():
            yield f"{name}: missing"
        elif not _same(name, path.read_bytes(), wanted):
            yield f"{name}: differs from its description"
    present = (p for part in ("sbml", "data") for p in sorted((folder / part).glob("*")))
    for path in present:
        name = path.relative_to(folder).as_posix()
        if name not in files:
            yield f"{name}: no description in the catalogue"


def _same(name: str, found: bytes, wanted: bytes) -> bool:
    if not name.endswith(".xlsx"):
        return found == wanted
    try:
        return influenza.workbook_content(found) == influenza.workbook_content(wanted)
    except (zipfile.BadZipFile, KeyError, ValueError):
        return False


def write(files: Mapping[str, bytes], folder: Path) -> Iterator[str]:
    """Write the files that differ, and name each one written."""
    for name, wanted in files.items():
        path = folder / name
        if path.is_file() and _same(name, path.read_bytes(), wanted):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wanted)
        yield name


def main(arguments: list[str] | None = None) -> int:
    """Run the script; return 0, or 1 if `--check` finds a difference or libSBML a fault."""
    parser = argparse.ArgumentParser(description="Write the shipped models and data.")
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(__file__).resolve().parent,
        help="models folder (default: the one of this script)",
    )
    options = parser.parse_args(arguments)
    files = contents()
    faults = [
        f"{name}: {finding}"
        for name, data in files.items()
        if name.startswith("sbml/")
        for finding in findings(data)
    ]
    if not faults and not options.check:
        for name in write(files, options.folder):
            print(f"written: {name}")
    faults += differences(files, options.folder)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
