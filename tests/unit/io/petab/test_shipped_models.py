"""Every shipped model, in a problem about all its parameters, reads back from PEtab the same."""

from __future__ import annotations

import numpy as np
import pytest
from networks import MODELS

import sbmlgrad as sg
from sbmlgrad.io.petab import load_petab, write_petab
from sbmlgrad.model.expression import Number
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.problem import (
    Experiment,
    Period,
    Problem,
    ProblemParameter,
    species_observables,
)


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.xml")), ids=lambda p: p.stem)
def test_problems_read_back(path, tmp_path) -> None:
    network = sg.load(path)
    seen = network.species_ids[:3]
    first, *_ = (*network.parameter_ids, None)
    problem = Problem(
        network=network,
        observables=species_observables(network, seen),
        measurements=Measurements(
            seen,
            np.arange(len(seen), dtype=np.float64),
            np.arange(len(seen)),
            np.full(len(seen), 1 / 3),
            ("1",) * len(seen),
            ("one",) * len(seen),
            units=("molecules",) * len(seen),
        ),
        parameters=tuple(
            ProblemParameter(id, float(value), -1.0, 2.0 * abs(value) + 1.0, "lin", True)
            for id, value in zip(network.parameter_ids, network.parameter_values, strict=True)
        ),
        # The first parameter is estimated in one experiment and set in the other.
        experiments=(
            Experiment("one"),
            Experiment("two", (Period(0.0, {} if first is None else {first: Number(0.5)}),)),
        ),
        name="shipped",
    )
    again = load_petab(write_petab(problem, tmp_path))
    assert again.network == network
    assert again.measurements.value.tolist() == problem.measurements.value.tolist()
    for part in ("parameters", "experiments", "name"):
        assert getattr(again, part) == getattr(problem, part), part
    assert [(o.id, o.formula, o.base, o.name) for o in again.observables] == [
        (o.id, o.formula, o.base, o.name) for o in problem.observables
    ]
