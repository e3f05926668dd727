"""COMBINE archives: what is in them, as libCombine and zip see it, and refusals."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs
from networks import shipped

from sbmlgrad.errors import WriteError
from sbmlgrad.io.omex import (
    PETAB,
    Creator,
    Description,
    Entry,
    archive_bytes,
    folder_entries,
    format_of_entry,
    write_archive,
)

SPECIFICATIONS = "http://identifiers.org/combine.specifications/"
MEDIA = "http://purl.org/NET/mediatypes/"
DESCRIPTION = Description(
    "Calibrated <model> & data",
    "2026-03-01T12:00:00.250000+01:00",
    (Creator("Noether", "Emmy", "Göttingen", "e@example.org"), Creator(organisation="sbmlgrad")),
)


def entries() -> tuple[Entry, ...]:
    model = shipped("telegraph").source
    assert model is not None
    return (
        Entry("model.xml", model),
        Entry("simulation.sedml", b"<sedML/>", is_main=True),
        Entry("data/counts.csv", b"time,M\n0,1\n"),
        Entry("petab/problem.yaml", b"format_version: 2.0.0\n", PETAB[2]),
        Entry("petab/notes.yaml", b"a: b\n"),
        Entry("config.xml", b"<settings/>"),
        Entry("blob", b"\x00"),
    )


FORMATS = {
    "model.xml": f"{SPECIFICATIONS}sbml.level-3.version-1",
    "simulation.sedml": f"{SPECIFICATIONS}sed-ml",
    "data/counts.csv": f"{MEDIA}text/csv",
    "petab/problem.yaml": f"{SPECIFICATIONS}petab.version-2",
    "petab/notes.yaml": f"{MEDIA}application/yaml",
    "config.xml": f"{MEDIA}application/xml",
    "blob": f"{MEDIA}application/octet-stream",
}


def test_the_archive_holds_the_bytes_in_order() -> None:
    with zipfile.ZipFile(io.BytesIO(archive_bytes(entries(), DESCRIPTION))) as archive:
        names = archive.namelist()
        assert names == ["manifest.xml", "metadata.rdf", *(e.location for e in entries())]
        assert {e.location: archive.read(e.location) for e in entries()} == {
            e.location: e.data for e in entries()
        }
        # No clock, no user, no system of the machine that packs it.
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {i.create_system for i in archive.infolist()} == {3}
    assert archive_bytes(entries(), DESCRIPTION) == archive_bytes(entries(), DESCRIPTION)


def test_the_manifest_lists_everything_with_its_format() -> None:
    with zipfile.ZipFile(io.BytesIO(archive_bytes(entries(), DESCRIPTION))) as archive:
        root = etree.fromstring(archive.read("manifest.xml"))
    listed = {content.get("location"): content for content in root}
    assert {name: c.get("format") for name, c in listed.items()} == {
        ".": f"{SPECIFICATIONS}omex",
        "./manifest.xml": f"{SPECIFICATIONS}omex-manifest",
        "./metadata.rdf": f"{SPECIFICATIONS}omex-metadata",
        **{f"./{name}": address for name, address in FORMATS.items()},
    }
    assert [n for n, c in listed.items() if c.get("master") == "true"] == ["./simulation.sedml"]


@pytest.mark.parametrize("level", [1, 2])
def test_sbml_of_every_level_is_recognised(level: int) -> None:
    text = f'<sbml xmlns="http://www.sbml.org/sbml/level{level}" level="{level}" version="1"/>'
    entry = Entry("m.xml", text.encode())
    assert format_of_entry(entry) == f"{SPECIFICATIONS}sbml.level-{level}.version-1"


@pytest.mark.parametrize("data", [b"", b"<sbml", b"<sbml xmlns='urn:other'/>"])
def test_what_only_looks_like_sbml_is_xml(data: bytes) -> None:
    assert format_of_entry(Entry("m.xml", data)) == f"{MEDIA}application/xml"


#: In a process of its own: libCombine and libSBML take each other's types for their own.
READ = """
import json, sys, libcombine
archive = libcombine.CombineArchive()
assert archive.initializeFromArchive(sys.argv[1])
read = [archive.getEntry(i) for i in range(archive.getNumEntries())]
about = archive.getMetadataForLocation(".")
people = [about.getCreator(i) for i in range(about.getNumCreators())]
print(json.dumps({
    "formats": {e.getLocation().removeprefix("./"): e.getFormat() for e in read},
    "main": archive.getMasterFile().getLocation(),
    "text": about.getDescription(),
    "created": about.getCreated().getDateAsString(),
    "people": [[p.getFamilyName(), p.getGivenName(), p.getOrganization()] for p in people],
}))
"""


def test_libcombine_reads_it(tmp_path: Path) -> None:
    if importlib.util.find_spec("libcombine") is None:
        # The extra `test` installs it, so that only a bare installation goes without.
        pytest.skip("libcombine comes with the extra 'validation'")
    path = tmp_path / "calibration.omex"
    write_archive(path, entries(), DESCRIPTION)
    command = [sys.executable, "-c", READ, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["formats"].items() >= FORMATS.items()
    assert found["main"].endswith("simulation.sedml")
    assert found["text"] == DESCRIPTION.text
    assert found["created"] == "2026-03-01T11:00:00Z"
    assert found["people"] == [["Noether", "Emmy", "Göttingen"], ["", "", "sbmlgrad"]]


def test_a_folder_becomes_entries(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "b.tsv").write_bytes(b"2")
    (tmp_path / "a.yaml").write_bytes(b"1")
    assert folder_entries(tmp_path, "petab") == (
        Entry("petab/a.yaml", b"1"),
        Entry("petab/tables/b.tsv", b"2"),
    )
    with pytest.raises(WriteError, match="no folder"):
        folder_entries(tmp_path / "missing")


@pytest.mark.parametrize(
    ("location", "mentions"),
    [
        ("", "no path"),
        ("/etc/x", "no path"),
        ("../x", "no path"),
        ("a/../x", "no path"),
        ("a//x", "no path"),
        ("./x", "no path"),
        ("a\\x", "no path"),
        ("a/", "no path"),
        ("manifest.xml", "itself"),
        ("metadata.rdf", "itself"),
        ("model.xml", "taken"),
    ],
)
def test_locations_that_do_not_work(location: str, mentions: str) -> None:
    with pytest.raises(WriteError, match=mentions):
        archive_bytes([*entries(), Entry(location, b"")], DESCRIPTION)


def test_there_is_one_main_entry_at_most() -> None:
    with pytest.raises(WriteError, match="several main entries"):
        archive_bytes([*entries(), Entry("b.sedml", b"", is_main=True)], DESCRIPTION)


def test_the_suffix_says_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="omex"):
        write_archive(tmp_path / "a.zip", entries(), DESCRIPTION)
    assert list(tmp_path.iterdir()) == []
