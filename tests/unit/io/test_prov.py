"""Provenance as PROV-JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from written_documents import golden

from sbmlgrad.io.prov import prov_json

RECORD = golden.PROVENANCE


def test_the_fit_used_data_and_model_and_made_a_model() -> None:
    made = json.loads(prov_json(RECORD, before=b"old", after=b"new", model="calibrated.xml"))
    assert made["entity"] == {
        "sg:data": {"prov:label": RECORD.data_name, "sg:sha256": RECORD.data_sha256},
        "sg:original": {
            "prov:label": "original.xml",
            "sg:sha256": hashlib.sha256(b"old").hexdigest(),
        },
        "sg:calibrated": {
            "prov:label": "calibrated.xml",
            "sg:sha256": hashlib.sha256(b"new").hexdigest(),
        },
    }
    fit = made["activity"]["sg:fit"]
    assert fit["prov:endTime"] == RECORD.finished
    assert (fit["sg:seed"], fit["sg:loss"]) == ("7", "12.5")
    assert fit["sg:settings"] == "free=k1, k2; learning_rate=0.05"
    labels = [agent["prov:label"] for agent in made["agent"].values()]
    assert labels == ["sbmlgrad 0.1.0", "numpy 2.4.6"]
    # Every relation is between things that are declared.
    known = {*made["entity"], *made["activity"], *made["agent"]}
    for part in ("used", "wasGeneratedBy", "wasDerivedFrom", "wasAssociatedWith"):
        assert made[part]
        for relation in made[part].values():
            assert known.issuperset(relation.values())


def test_what_is_empty_is_left_out() -> None:
    bare = replace(RECORD, software={}, settings={})
    made = json.loads(prov_json(bare, before=b"", after=b""))
    assert "agent" not in made
    assert "wasAssociatedWith" not in made
    assert "sg:settings" not in made["activity"]["sg:fit"]


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_losses_of_any_kind_are_json(loss: float) -> None:
    made = json.loads(prov_json(replace(RECORD, loss=loss), before=b"", after=b""))
    assert made["activity"]["sg:fit"]["sg:loss"] == repr(loss)


def test_the_same_record_gives_the_same_bytes() -> None:
    first, second = (prov_json(RECORD, before=b"a", after=b"b") for _ in range(2))
    assert first == second
