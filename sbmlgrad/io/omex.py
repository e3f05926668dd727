"""COMBINE archives (OMEX): a zip file with a manifest and metadata, of bytes that it is given.

Bergmann et al. 2014, BMC Bioinformatics 15, 369; metadata as in Neal et al. 2020, J. Integr.
Bioinform. 17, 20200020, in the plain form that libCombine reads. The same entries always give the
same bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sbmlgrad.errors import WriteError
from sbmlgrad.io.files import write_atomically

_COMBINE = "http://identifiers.org/combine.specifications/"
_MEDIA = "http://purl.org/NET/mediatypes/"
_MANIFEST = f"{_COMBINE}omex-manifest"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DCTERMS = "http://purl.org/dc/terms/"
_VCARD = "http://www.w3.org/2006/vcard/ns#"
_SBML = re.compile(r"http://www\.sbml\.org/sbml/level([123])(?:/version([1-5]))?(?:/core)?")

#: Suffix → format, of what is no SBML. That of SED-ML names no version, as readers know it best.
FORMATS = {
    ".sedml": f"{_COMBINE}sed-ml",
    ".csv": f"{_MEDIA}text/csv",
    ".tsv": f"{_MEDIA}text/tab-separated-values",
    ".txt": f"{_MEDIA}text/plain",
    ".md": f"{_MEDIA}text/markdown",
    ".html": f"{_MEDIA}text/html",
    ".json": f"{_MEDIA}application/json",
    ".yaml": f"{_MEDIA}application/yaml",
    ".yml": f"{_MEDIA}application/yaml",
    ".xml": f"{_MEDIA}application/xml",
    ".xlsx": f"{_MEDIA}application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".nc": f"{_MEDIA}application/x-netcdf",
    ".h5": f"{_MEDIA}application/x-hdf5",
    ".pdf": f"{_MEDIA}application/pdf",
    ".png": f"{_MEDIA}image/png",
    ".svg": f"{_MEDIA}image/svg+xml",
}
#: Format of the main file of a PEtab problem, as its own library writes it.
PETAB = {1: f"{_COMBINE}petab.version-1", 2: f"{_COMBINE}petab.version-2"}

_OWN = ("manifest.xml", "metadata.rdf")
#: The earliest time that a zip file can hold; a real one would make the bytes differ.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
#: Permissions of an ordinary file, in the form of zip.
_ORDINARY = 0o100644 << 16
#: Zip made on this system: Unix, wherever it was.
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive.

    Attributes:
        location: its path in the archive, with `/` between folders.
        data: its contents.
        format: address of its format; empty to go by suffix and contents (`format_of_entry`).
        is_main: whether it is what a reader should open first, such as a SED-ML file.
    """

    location: str
    data: bytes
    format: str = ""
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class Creator:
    """Who made an archive: a person, an organisation, or both."""

    family_name: str = ""
    given_name: str = ""
    organisation: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """What an archive says about itself.

    Attributes:
        text: what it is.
        created: ISO 8601 date and time, such as `Provenance.finished`.
        creators: who made it.
    """

    text: str
    created: str
    creators: Sequence[Creator] = (Creator(organisation="sbmlgrad"),)


def write_archive(path: str | Path, entries: Iterable[Entry], description: Description) -> None:
    """Write a COMBINE archive; use it to hand on everything that belongs to a calibration.

    Args:
        path: the file, `.omex`.
        entries: what to pack; at most one is the main one.
        description: what the archive says about itself.

    Raises:
        WriteError: the suffix is another one, or as `archive_bytes` and `write_atomically`.
    """
    if Path(path).suffix.lower() != ".omex":
        raise WriteError(f"{path}: a COMBINE archive is called .omex; rename it")
    write_atomically(path, archive_bytes(entries, description))


def archive_bytes(entries: Iterable[Entry], description: Description) -> bytes:
    """Return a COMBINE archive; the same arguments give the same bytes.

    Args:
        entries: as for `write_archive`.
        description: likewise.

    Raises:
        WriteError: a location that is no path inside the archive, is taken twice or is one of the
            archive's own files, or several main entries.
    """
    packed = tuple(entries)
    if problems := _problems(packed):
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise WriteError(f"the archive cannot be written:\n{listed}")
    own = {"manifest.xml": _manifest(packed), "metadata.rdf": _metadata(description)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for location, data in (*own.items(), *((e.location, e.data) for e in packed)):
            info = zipfile.ZipInfo(location, date_time=_NO_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = _UNIX
            info.external_attr = _ORDINARY
            archive.writestr(info, data)
    return buffer.getvalue()


def folder_entries(folder: str | Path, under: str = "") -> tuple[Entry, ...]:
    """Return all files of a folder as entries, sorted; use it for the folder of a PEtab problem.

    Args:
        folder: the folder; its folders are entered.
        under: the folder of the archive to put them in.

    Raises:
        UnreadableFileError: a file cannot be read.
        WriteError: there is no such folder.
    """
    from sbmlgrad.io.files import read_bytes

    root = Path(folder)
    if not root.is_dir():
        raise WriteError(f"'{folder}' is no folder, so that there is nothing to pack; name one")
    files = sorted(p for p in root.rglob("*") if p.is_file())
    places = ((PurePosixPath(under) / p.relative_to(root).as_posix(), p) for p in files)
    return tuple(Entry(str(place), read_bytes(path)) for place, path in places)


def format_of_entry(entry: Entry) -> str:
    """Return the address of an entry's format, by its suffix, and for XML by its root element."""
    if entry.format:
        return entry.format
    suffix = PurePosixPath(entry.location).suffix.lower()
    if suffix in (".xml", ".sbml") and (found := _sbml_format(entry.data)):
        return found
    return FORMATS.get(suffix, f"{_MEDIA}application/octet-stream")


def _sbml_format(data: bytes) -> str | None:
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

    try:
        events = etree.iterparse(io.BytesIO(data), events=("start",), resolve_entities=False)
        root = next(iter(events))[1]
    except (etree.XMLSyntaxError, StopIteration):
        return None
    name = etree.QName(root)
    if name.localname != "sbml" or not _SBML.fullmatch(name.namespace or ""):
        return None
    return f"{_COMBINE}sbml.level-{root.get('level')}.version-{root.get('version')}"


def _problems(entries: Sequence[Entry]) -> list[str]:
    found: list[str] = []
    taken: set[str] = set()
    for entry in entries:
        parts = entry.location.split("/")
        if not entry.location or "\\" in entry.location or {"", ".", ".."}.intersection(parts):
            found.append(
                f"location {entry.location!r}: no path inside the archive; give one such as "
                "data/counts.csv"
            )
        elif entry.location in _OWN:
            found.append(
                f"location {entry.location!r}: the archive writes this file itself; name another"
            )
        elif entry.location in taken:
            found.append(f"location {entry.location!r}: taken by another entry; name another")
        taken.add(entry.location)
    main = [entry.location for entry in entries if entry.is_main]
    if len(main) > 1:
        found.append(f"several main entries ({', '.join(main)}); readers open one of them first")
    return found


def _manifest(entries: Sequence[Entry]) -> bytes:
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

    root = etree.Element(f"{{{_MANIFEST}}}omexManifest", nsmap={None: _MANIFEST})
    listed = [
        (".", f"{_COMBINE}omex", False),
        ("./manifest.xml", _MANIFEST, False),
        ("./metadata.rdf", f"{_COMBINE}omex-metadata", False),
        *((f"./{e.location}", format_of_entry(e), e.is_main) for e in entries),
    ]
    for location, address, is_main in listed:
        content = {"location": location, "format": address}
        etree.SubElement(
            root, f"{{{_MANIFEST}}}content", content | ({"master": "true"} if is_main else {})
        )
    return _bytes(root)


def _metadata(description: Description) -> bytes:
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

    from sbmlgrad.io.sbml.history import w3c_date

    root = etree.Element(
        f"{{{_RDF}}}RDF", nsmap={"rdf": _RDF, "dcterms": _DCTERMS, "vCard": _VCARD}
    )
    about = etree.SubElement(root, f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": "."})
    as_resource = {f"{{{_RDF}}}parseType": "Resource"}

    def add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
        made = etree.SubElement(parent, name, attributes)
        made.text = text
        return made

    add(about, f"{{{_DCTERMS}}}description", description.text)
    created = add(about, f"{{{_DCTERMS}}}created", **as_resource)
    add(created, f"{{{_DCTERMS}}}W3CDTF", w3c_date(description.created))
    for creator in description.creators:
        card = add(about, f"{{{_DCTERMS}}}creator", **as_resource)
        if creator.family_name or creator.given_name:
            name = add(card, f"{{{_VCARD}}}hasName", **as_resource)
            add(name, f"{{{_VCARD}}}family-name", creator.family_name)
            add(name, f"{{{_VCARD}}}given-name", creator.given_name)
        if creator.email:
            add(card, f"{{{_VCARD}}}hasEmail", **{f"{{{_RDF}}}resource": creator.email})
        if creator.organisation:
            add(card, f"{{{_VCARD}}}organization-name", creator.organisation)
    return _bytes(root)


def _bytes(root: Any) -> bytes:
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs

    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
