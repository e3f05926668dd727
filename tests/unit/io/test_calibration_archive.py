"""The archive of a calibration holds all that belongs to it, each part fitting the others."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace

import pytest
from calibrated_models import RECORD, calibrated
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs
from networks import shipped

from sbmlgrad.errors import WriteError
from sbmlgrad.io.calibration_archive import calibration_description, calibration_entries
from sbmlgrad.io.omex import Entry, archive_bytes
from sbmlgrad.io.sbml.writer import write_sbml
from sbmlgrad.io.sedml import SEDML, Curve, TimeCourse
from sbmlgrad.model.expression import Symbol, multiply
from sbmlgrad.model.provenance import Estimate

CURVES = [Curve("signal", multiply(Symbol("scale"), Symbol("M")))]
COURSE = TimeCourse(end=10.0)
FITTED = calibrated(
    shipped("telegraph"), {"k_on": Estimate(0.05, 0.01), "scale": Estimate(2.0, 0.1)}
)


def test_the_parts_fit_each_other() -> None:
    document = write_sbml(FITTED)
    data = Entry("data/data.csv", b"time,signal\n0,1\n")
    entries = calibration_entries(
        FITTED, document, CURVES, COURSE, constants={"scale": 2.0}, files=[data]
    )
    packed = archive_bytes(entries, calibration_description(FITTED.id, RECORD))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.read("data/data.csv") == data.data
        model = etree.fromstring(archive.read("simulation.sedml")).find(f".//{{{SEDML}}}model")
        assert archive.read(model.get("source")) == document
        entities = json.loads(archive.read("provenance.json"))["entity"]
        for entity in (entities["sg:original"], entities["sg:calibrated"]):
            content = archive.read(entity["prov:label"])
            assert entity["sg:sha256"] == hashlib.sha256(content).hexdigest()
        text = archive.read("metadata.rdf").decode()
        assert f"Calibration of {FITTED.id} with data.csv by sbmlgrad" in text


@pytest.mark.parametrize("missing", ["source", "provenance"])
def test_only_calibrations_are_packed(missing: str) -> None:
    bare = replace(FITTED, **{missing: None})
    with pytest.raises(WriteError, match=missing):
        calibration_entries(bare, b"", CURVES, COURSE)
