"""The uncertainty of fitted parameters in the package distrib, as libSBML reads it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import libsbml
import pytest
from calibrated_models import all_parameters, calibrated
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]: it has no stubs
from networks import shipped
from written_documents import changed_lines, consistency, golden, libsbml_document, network_of

import sbmlgrad as sg
from sbmlgrad.errors import ParameterError, RequestError, WriteError
from sbmlgrad.io.sbml.levels import at_level
from sbmlgrad.io.sbml.uncertainty import DISTRIB
from sbmlgrad.io.sbml.writer import check_writable, write_sbml
from sbmlgrad.model.provenance import Estimate

NAMES = ["dimerization_l3v1", "dimerization_l2v4"]
K1 = Estimate(1 / 3, standard_error=0.1, interval=(0.2, 0.5), level=0.9)


def written(**options: Any) -> bytes:
    return write_sbml(calibrated(shipped("dimerization"), {"k1": K1}), **options)


def uncertainties(data: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return what libSBML reads: parameter → one mapping of types to values per uncertainty."""
    document = libsbml_document(data)
    found: dict[str, list[dict[str, Any]]] = {}
    elements = document.getModel().getListOfAllElements()
    for element in map(elements.get, range(elements.getSize())):
        plugin = element.getPlugin("distrib")
        if plugin is None or not plugin.getNumUncertainties():
            continue
        name = element.getId()
        if element.getElementName() == "localParameter":
            name = f"{element.getAncestorOfType(libsbml.SBML_REACTION).getId()}.{name}"
        read = map(plugin.getUncertainty, range(plugin.getNumUncertainties()))
        found[name] = [_measures(uncertainty) for uncertainty in read]
    return found


def _measures(uncertainty: Any) -> dict[str, Any]:
    measures: dict[str, Any] = {}
    for i in range(uncertainty.getNumUncertParameters()):
        measure = uncertainty.getUncertParameter(i)
        if isinstance(measure, libsbml.UncertSpan):
            limits = (measure.getValueLower(), measure.getValueUpper())
            measures[measure.getTypeAsString()] = (*limits, measure.getName())
        else:
            measures[measure.getTypeAsString()] = measure.getValue()
    return measures


def errors(data: bytes) -> list[tuple[int, str, str]]:
    return [e for e in consistency(data) if e[1] in ("Error", "Fatal")]


def test_libsbml_reads_what_is_known() -> None:
    bayesian = Estimate(0.25, 0.02, (0.2, 0.3), 0.95, kind="credible", central="median")
    interval_only = Estimate(2.0, interval=(1.0, 3.0), level=0.5, central=None)
    model = shipped("telegraph")
    estimates = {"k_on": K1, "k_off": bayesian, "k_transcription": interval_only}
    assert uncertainties(write_sbml(calibrated(model, estimates))) == {
        "k_on": [
            {
                "mean": 1 / 3,
                "standardError": 0.1,
                "confidenceInterval": (0.2, 0.5, "90 % confidence interval"),
            }
        ],
        "k_off": [
            {
                "median": 0.25,
                "standardDeviation": 0.02,
                "credibleInterval": (0.2, 0.3, "95 % credible interval"),
            }
        ],
        "k_transcription": [{"confidenceInterval": (1.0, 3.0, "50 % confidence interval")}],
    }


def test_an_infinite_limit_leaves_the_interval_open() -> None:
    open_above = Estimate(1.0, interval=(0.5, math.inf))
    data = write_sbml(calibrated(shipped("dimerization"), {"k1": open_above}))
    (measures,) = uncertainties(data)["k1"]
    lower, upper, _ = measures["confidenceInterval"]
    assert lower == 0.5
    assert math.isnan(upper)
    assert b"valueUpper" not in data


def test_what_is_not_in_the_document_is_in_the_record_only() -> None:
    noise = Estimate(0.7, standard_error=0.1)
    data = write_sbml(calibrated(shipped("dimerization"), {"k1": K1, "sigma": noise}))
    assert set(uncertainties(data)) == {"k1"}
    assert b'parameter="sigma" value="0.7"' in data
    # Alone it does not take the package.
    model = calibrated(shipped("dimerization"), {"sigma": noise})
    assert DISTRIB not in write_sbml(model).decode()


@pytest.mark.parametrize("name", NAMES)
def test_documents_of_other_levels_become_level_3_version_2(name: str) -> None:
    model = golden.network(name, provenance=golden.UNCERTAIN)
    data = write_sbml(model)
    document = libsbml_document(data)
    assert (document.getLevel(), document.getVersion()) == (3, 2)
    assert document.getPackageRequired("distrib")
    assert errors(data) == errors(golden.original(name))
    # What libSBML says of units is no worse than of the original at that level.
    assert set(consistency(data)) <= set(consistency(at_level(golden.original(name), 3, 2)))


def test_local_parameters_have_uncertainty_too() -> None:
    local = "binding.scale"
    model = sg.load(golden.original("dimerization_l3v1").decode())
    data = write_sbml(calibrated(model, {local: K1}))
    assert set(uncertainties(data)) == {local}


def test_level_3_version_1_keeps_its_bytes() -> None:
    plain, uncertain = written(distrib=False), written(level=3, version=1)
    gone, new = changed_lines(plain, uncertain)
    assert set(uncertainties(uncertain)) == {"k1"}
    assert errors(uncertain) == []
    # The element of the parameter is opened, and the root declares the package.
    assert len(gone) == 2
    assert all("distrib" in line or "annotation" in line or "k1" in line for line in new[:2])


@pytest.mark.parametrize("name", ["dimerization", "oscillator", "sir", "telegraph"])
def test_a_calibrated_model_reads_back_the_same(name: str, tmp_path) -> None:
    model = shipped(name)
    result = calibrated(model, all_parameters(model))
    for distrib in (True, False):
        path = tmp_path / f"{distrib}.xml"
        sg.save(result, path, distrib=distrib)
        again = sg.load(path)
        assert again == result
        assert again.parameter_values.tolist() == result.parameter_values.tolist()
        assert model.source is not None
        assert set(consistency(path.read_bytes())) <= set(consistency(model.source))


# --- later changes --------------------------------------------------------------------------------


BY_OTHERS = (
    "<distrib:uncertainty><distrib:uncertParameter distrib:type='mean' distrib:value='9'/>"
    "</distrib:uncertainty>"
)


def test_a_later_calibration_replaces_the_uncertainty_and_spares_those_of_others() -> None:
    first = written().decode()
    place = "<distrib:listOfUncertainties>"
    assert first.count(place) == 1
    for others in ("", BY_OTHERS):
        model = sg.load(first.replace(place, place + others))
        later = Estimate(0.5, standard_error=0.01)
        second = write_sbml(calibrated(model, {"k1": later}))
        ours = [{"mean": 0.5, "standardError": 0.01}]
        assert uncertainties(second) == {"k1": ([{"mean": 9.0}] if others else []) + ours}
        assert errors(second) == []


def test_without_the_package_nothing_of_it_is_left() -> None:
    model = sg.load(written().decode())
    plain = write_sbml(calibrated(model, {"k1": K1}), distrib=False)
    assert DISTRIB not in plain.decode()
    assert errors(plain) == []
    again = write_sbml(calibrated(sg.load(plain.decode()), {"k1": K1}))
    assert set(uncertainties(again)) == {"k1"}


def test_the_package_stays_where_others_use_it() -> None:
    place = "<distrib:listOfUncertainties>"
    model = sg.load(written().decode().replace(place, place + BY_OTHERS))
    plain = write_sbml(calibrated(model, {"k1": K1}), distrib=False)
    assert uncertainties(plain) == {"k1": [{"mean": 9.0}]}


def test_a_value_set_by_hand_has_no_uncertainty_of_ours() -> None:
    both = {"k1": K1, "k2": K1}
    model = sg.load(write_sbml(calibrated(shipped("dimerization"), both)).decode())
    assert set(uncertainties(write_sbml(model))) == {"k1", "k2"}
    changed = write_sbml(model.with_parameters({"k1": 0.7}))
    assert set(uncertainties(changed)) == {"k2"}


def test_a_prefix_that_means_something_else_is_left_alone() -> None:
    source = shipped("dimerization").source
    assert source is not None
    taken = source.decode().replace("<sbml ", "<sbml xmlns:distrib='urn:other' ", 1)
    # libSBML does not read the package then, so that lxml looks.
    root = etree.fromstring(write_sbml(calibrated(sg.load(taken), {"k1": K1})))
    assert root.get(f"{{{DISTRIB}}}required") == "true"
    assert root.nsmap["distrib"] == "urn:other"
    assert [e.getparent().get("id") for e in root.iter(f"{{{DISTRIB}}}listOfUncertainties")] == [
        "k1"
    ]


# --- refusals -------------------------------------------------------------------------------------


def test_levels_without_packages_refuse_uncertainty() -> None:
    with pytest.raises(RequestError, match=r"level=2.*distrib=False"):
        written(level=2)
    document = libsbml_document(written(level=2, distrib=False))
    assert (document.getLevel(), document.getVersion()) == (2, 5)


@pytest.mark.parametrize(("level", "version"), [(4, None), (3, 7), (None, 2)])
def test_unknown_levels_are_refused(level: int | None, version: int | None) -> None:
    with pytest.raises(RequestError, match="level"):
        written(level=level, version=version)


def test_a_document_that_cannot_be_raised_says_how_to_do_without() -> None:
    source = golden.original("dimerization_l3v1").replace(b'fast="false"', b'fast="true"')
    model = network_of(source, {"k1": 0.5}, provenance=golden.UNCERTAIN)
    with pytest.raises(WriteError, match="distrib=False"):
        write_sbml(model)
    assert b'fast="true"' in write_sbml(model, distrib=False)


def test_what_a_fit_could_not_write_is_known_before_it() -> None:
    check_writable(shipped("telegraph"), ["k_on"])
    check_writable(shipped("telegraph"), ["k_on"], distrib=False, level=2)
    with pytest.raises(RequestError, match="distrib=False"):
        check_writable(shipped("telegraph"), ["k_on"], level=2)
    with pytest.raises(ParameterError, match="nowhere"):
        check_writable(shipped("telegraph"), ["nowhere"])
    with pytest.raises(WriteError, match="source is None"):
        check_writable(replace(shipped("telegraph"), source=None), ["k_on"])


def test_units_of_an_estimate_may_hold_what_xml_can() -> None:
    bad = replace(K1, unit="a\x00b")
    with pytest.raises(WriteError, match="estimate 'k1'"):
        write_sbml(calibrated(shipped("dimerization"), {"k1": bad}), distrib=False)


def test_libsbml_knows_the_package() -> None:
    # Otherwise no test here would see anything.
    assert "distrib" in [
        libsbml.SBMLExtensionRegistry.getRegisteredPackageName(i)
        for i in range(libsbml.SBMLExtensionRegistry.getNumRegisteredPackages())
    ]
