"""How a calibrated model came about, as PROV-JSON for tools that trace provenance.

W3C PROV-DM (2013), in the JSON form of the member submission of 24 April 2013: the measurements and
the model before are entities that the fit, an activity, used; it generated the model after; the
software took part as agents.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sbmlgrad.model.provenance import Provenance

_NAMESPACE = "https://sbmlgrad.org/provenance/1#"


def prov_json(
    provenance: Provenance,
    *,
    before: bytes,
    after: bytes,
    model: str = "model.xml",
    original: str = "original.xml",
) -> bytes:
    """Return the provenance of a calibrated model as PROV-JSON.

    Args:
        provenance: the record of the fit.
        before: the document before the fit (`ReactionNetwork.source`).
        after: the calibrated document.
        model: what the calibrated document is called, for instance its place in an archive.
        original: what the document before is called.

    Returns:
        The record, UTF-8; the same arguments give the same bytes.
    """
    fit, made, used, data = "sg:fit", "sg:calibrated", "sg:original", "sg:data"
    packages = {f"sg:software-{i}": item for i, item in enumerate(provenance.software.items(), 1)}
    record: dict[str, Any] = {
        "prefix": {"sg": _NAMESPACE},
        "entity": {
            data: _entity(provenance.data_name, provenance.data_sha256),
            used: _entity(original, hashlib.sha256(before).hexdigest()),
            made: _entity(model, hashlib.sha256(after).hexdigest()),
        },
        "activity": {fit: {"prov:endTime": provenance.finished, **_settings(provenance)}},
        "agent": {
            id: {"prov:type": _name("prov:SoftwareAgent"), "prov:label": f"{name} {version}"}
            for id, (name, version) in packages.items()
        },
        "used": {
            "_:used1": {"prov:activity": fit, "prov:entity": data},
            "_:used2": {"prov:activity": fit, "prov:entity": used},
        },
        "wasGeneratedBy": {"_:made1": {"prov:entity": made, "prov:activity": fit}},
        "wasDerivedFrom": {
            "_:from1": {"prov:generatedEntity": made, "prov:usedEntity": used},
            "_:from2": {"prov:generatedEntity": made, "prov:usedEntity": data},
        },
        "wasAssociatedWith": {
            f"_:by{i}": {"prov:activity": fit, "prov:agent": id} for i, id in enumerate(packages, 1)
        },
    }
    filled = {part: content for part, content in record.items() if content}
    return (json.dumps(filled, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _entity(name: str, sha256: str) -> dict[str, str]:
    return {"prov:label": name, "sg:sha256": sha256}


def _settings(provenance: Provenance) -> Mapping[str, str]:
    found = {
        "prov:label": "calibration",
        "sg:seed": str(provenance.seed),
        "sg:estimator": provenance.estimator,
        "sg:loss": repr(provenance.loss),
        "sg:lossStandardError": repr(provenance.loss_standard_error),
    }
    settings = {f"{name}={value}" for name, value in provenance.settings.items()}
    return found | ({"sg:settings": "; ".join(sorted(settings))} if settings else {})


def _name(value: str) -> dict[str, str]:
    return {"$": value, "type": "prov:QUALIFIED_NAME"}
