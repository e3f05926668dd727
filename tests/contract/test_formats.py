"""Writing and reading is the identity, for every format and every model that is shipped or small.

The formats are those that `io.formats` knows, so that a new one is enrolled by itself.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from constructs import CONSTRUCTS
from networks import MODELS

import sbmlgrad as sg
from sbmlgrad.io.formats import ANTIMONY_DIGITS, ANTIMONY_SUFFIXES, SBML_SUFFIXES, format_of

DOCUMENTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(MODELS.glob("*.xml"))}
ALL = {**DOCUMENTS, **CONSTRUCTS}
SUFFIXES = (*SBML_SUFFIXES, *ANTIMONY_SUFFIXES)

#: What Antimony cannot say, with the words of the refusal; all others must survive.
NOT_IN_ANTIMONY = {
    "sir": "parameters \\('gamma', 'gamma_'\\)",  # a word of Antimony, which would be renamed
    "locals, functions, boundaries": "parameters \\('J\\.h', 'J_h'\\)",  # no local parameters
    "level 1": "parameters \\('death\\.h', 'death_h'\\)",
}


def some_value(model: sg.ReactionNetwork) -> dict[str, float]:
    """Return a new value, with all its digits, for a parameter that has one."""
    given = zip(model.parameter_ids, model.parameter_values.tolist(), strict=True)
    name, value = next((name, value) for name, value in given if np.isfinite(value))
    return {name: value / 3.0}


def test_every_format_is_known_by_name() -> None:
    assert {format_of(f"m{suffix}") for suffix in SUFFIXES} == {"SBML", "Antimony"}
    with pytest.raises(sg.SbmlGradError, match="unknown kind"):
        format_of("m.txt")


@pytest.mark.parametrize("suffix", SBML_SUFFIXES)
@pytest.mark.parametrize("name", ALL)
def test_sbml_write_and_read_is_the_identity(name: str, suffix: str, tmp_path: Path) -> None:
    model = sg.load(ALL[name])
    for network in (model, model.with_parameters(some_value(model))):
        sg.save(network, tmp_path / f"m{suffix}")
        again = sg.load(tmp_path / f"m{suffix}")
        # An initial assignment that a value overrides is not written.
        left = {t: e for t, e in network.initial_assignments.items() if t not in network.explicit}
        assert again == replace(network, initial_assignments=left, explicit=frozenset())
        np.testing.assert_array_equal(again.parameter_values, network.parameter_values)
    # Without changes every byte is that of the document.
    sg.save(model, tmp_path / f"same{suffix}")
    again = sg.load(tmp_path / f"same{suffix}")
    assert again == model
    assert again.source == model.source


@pytest.mark.parametrize("suffix", ANTIMONY_SUFFIXES)
@pytest.mark.parametrize("name", ALL)
def test_antimony_says_the_same_or_is_refused(name: str, suffix: str, tmp_path: Path) -> None:
    model = sg.load(ALL[name])
    changed = model.with_parameters(some_value(model))
    if name in NOT_IN_ANTIMONY:
        with pytest.raises(sg.SbmlGradError, match=NOT_IN_ANTIMONY[name]):
            sg.save(model, tmp_path / f"m{suffix}")
        assert not list(tmp_path.iterdir())
        return
    for network in (model, changed):
        sg.save(network, tmp_path / f"m{suffix}")
        again = sg.load(tmp_path / f"m{suffix}")
        ours = dict(zip(network.parameter_ids, network.parameter_values, strict=True))
        theirs = dict(zip(again.parameter_ids, again.parameter_values, strict=True))
        assert theirs == pytest.approx(ours, rel=10.0 ** -(ANTIMONY_DIGITS - 1), nan_ok=True)
        assert set(again.species_ids) == set(network.species_ids)
        assert len(again.reactions) == len(network.reactions)
        assert len(again.events) == len(network.events)
