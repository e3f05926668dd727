"""What belongs to a calibration, as the entries of a COMBINE archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from sbmlgrad.errors import WriteError
from sbmlgrad.io.omex import PETAB, Description, Entry
from sbmlgrad.io.petab.write import YAML
from sbmlgrad.io.prov import prov_json
from sbmlgrad.io.sedml import Curve, TimeCourse, sedml_document
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Experiment
from sbmlgrad.model.provenance import Provenance

MODEL, ORIGINAL = "model.xml", "original.xml"
SIMULATION, PROVENANCE = "simulation.sedml", "provenance.json"


def calibration_entries(
    network: ReactionNetwork,
    document: bytes,
    curves: Sequence[Curve],
    course: TimeCourse,
    *,
    constants: Mapping[str, float] = MappingProxyType({}),
    experiments: Sequence[Experiment] = (),
    files: Iterable[Entry] = (),
) -> tuple[Entry, ...]:
    """Return the entries of the archive of a calibration, the simulation being the main one.

    Args:
        network: the calibrated network, with source and provenance.
        document: what was written of it (`write_sbml`).
        curves: observables to plot.
        course: what to simulate.
        constants: value of what the observables use beside the model.
        experiments: each is simulated by itself, as far as SED-ML can say it.
        files: what else to pack: measurements as they came (`data/...`), the PEtab problem
            (`petab_entries`), the report.

    Returns:
        The calibrated model, the original, the simulation, the provenance, and the files.

    Raises:
        WriteError: the network has no source or no provenance.
        RequestError: as `sedml_document`.
    """
    source, provenance = network.source, network.provenance
    if source is None or provenance is None:
        what = "original document (source)" if source is None else "record of a fit (provenance)"
        raise WriteError(
            f"model '{network.id}' has no {what}, so that there is no calibration to pack; give a "
            "network that a fit returned"
        )
    simulation = sedml_document(
        network,
        document,
        curves,
        course,
        source=MODEL,
        constants=constants,
        experiments=experiments,
    )
    record = prov_json(provenance, before=source, after=document, model=MODEL, original=ORIGINAL)
    return (
        Entry(MODEL, document),
        Entry(ORIGINAL, source),
        Entry(SIMULATION, simulation, is_main=True),
        Entry(PROVENANCE, record),
        *files,
    )


def petab_entries(files: Mapping[str, bytes], under: str = "petab") -> tuple[Entry, ...]:
    """Return the files of a PEtab 2 problem as entries; its YAML file is marked as what it is.

    Args:
        files: name → bytes, as `petab_files` returns them.
        under: the folder of the archive to put them in.
    """
    return tuple(
        Entry(f"{under}/{name}", data, PETAB[2] if name == YAML else "")
        for name, data in files.items()
    )


def calibration_description(network_name: str, provenance: Provenance) -> Description:
    """Return what the archive of a calibration says about itself; the software made it.

    Args:
        network_name: name or id of the model.
        provenance: the record of the fit.
    """
    text = f"Calibration of {network_name} with {provenance.data_name} by sbmlgrad"
    return Description(text, provenance.finished)
