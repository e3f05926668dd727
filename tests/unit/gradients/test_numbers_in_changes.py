"""Parameters that say how many molecules a firing changes have no gradient, and no zero either."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import sbmlgrad as sg
from sbmlgrad import cme

_HEAD = """<?xml version="1.0"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">
<model id="m" substanceUnits="item" extentUnits="item" timeUnits="second" {factor}>
<listOfCompartments><compartment id="c" size="1" constant="true" spatialDimensions="3"/>
</listOfCompartments>
<listOfSpecies><species id="X" compartment="c" initialAmount="6" hasOnlySubstanceUnits="true"
  substanceUnits="item" boundaryCondition="false" constant="false"/></listOfSpecies>
<listOfParameters><parameter id="k" value="1" constant="true"/>
<parameter id="d" value="0.3" constant="true"/><parameter id="burst" value="3" constant="true"/>
</listOfParameters>
<listOfInitialAssignments>{assignment}</listOfInitialAssignments>
<listOfReactions>
<reaction id="J0" reversible="false"><listOfProducts>
<speciesReference id="sr" species="X" stoichiometry="1" constant="true"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>k</ci></math></kineticLaw></reaction>
<reaction id="J1" reversible="false"><listOfReactants>
<speciesReference species="X" stoichiometry="{loss}" constant="true"/></listOfReactants>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>d</ci><ci>X</ci>
</apply></math></kineticLaw></reaction>
</listOfReactions></model></sbml>"""

_ASSIGNMENT = """<initialAssignment symbol="sr"><math xmlns="http://www.w3.org/1998/Math/MathML">
<ci>burst</ci></math></initialAssignment>"""

#: The stoichiometry of J0 by an initial assignment; and a conversion factor, with which a firing of
#: J1 removes three molecules of every third's worth.
MODELS = {
    "stoichiometry": _HEAD.format(factor="", assignment=_ASSIGNMENT, loss=1),
    "factor": _HEAD.format(factor='conversionFactor="burst"', assignment="", loss=1 / 3),
}


def gradient(model, estimator):
    theta = tf.Variable(model.parameter_values)
    with tf.GradientTape() as tape:
        cells = sg.simulate(
            model, theta, times=[1.0], trajectories=200, seed=1, estimator=estimator
        )
        mean = cells.mean("X")[0]
    return tape.gradient(mean, theta).numpy()


@pytest.fixture(params=MODELS)
def model(request):
    return sg.load(MODELS[request.param])


@pytest.mark.parametrize(
    "estimator",
    [
        sg.gradients.TwoSidedAdjoint(),
        sg.gradients.CoupledDifference(),
        sg.gradients.ScoreFunction(),
        sg.gradients.FittedValue(),
        sg.gradients.FiniteDifference(),
        sg.gradients.FiniteDifference(coupling="crn"),
    ],
)
def test_its_derivative_is_no_number(model, estimator) -> None:
    found = dict(zip(model.parameter_ids, gradient(model, estimator), strict=True))
    assert np.isnan(found["burst"])
    assert np.isfinite([found["k"], found["d"]]).all()
    assert found["k"] > 0.0 > found["d"]


def test_it_is_refused_by_name(model) -> None:
    words = "'burst' says how many molecules a firing changes"
    with pytest.raises(sg.GradientError, match=words):
        gradient(model, sg.gradients.FiniteDifference(parameters=("burst",)))
    with pytest.raises(sg.GradientError, match=words):
        sg.check_gradient(model, times=[1.0], free=["k", "burst"], trajectories=40, seed=1)
    projection = cme.project(model, until=1.0, tolerance=1e-6)
    with pytest.raises(sg.GradientError, match=words):
        cme.expectation(projection, sg.ValuesAt([1.0]), "X", ("burst",))
    cme.expectation(projection, sg.ValuesAt([1.0]), "X", ("k", "d"))


def test_a_check_leaves_it_out(model) -> None:
    found = sg.check_gradient(
        model,
        times=[1.0],
        estimators=[sg.gradients.TwoSidedAdjoint()],
        trajectories=40,
        seed=1,
    )
    assert found.free == ("k", "d")
