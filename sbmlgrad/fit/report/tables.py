"""The tables of the report."""

from __future__ import annotations

import math

from sbmlgrad.fit.formula_spelling import formula_text
from sbmlgrad.fit.result import FitResult
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import Period
from sbmlgrad.pages.markup import Content, Html, element
from sbmlgrad.pages.tables import ID, NUMBER, PLAIN, TEXT, table


def number(value: float | None, digits: int = 4) -> str:
    """Return a number for reading; words where it is none."""
    if value is None or math.isnan(value):
        return "not known"
    if math.isinf(value):
        return "∞" if value > 0.0 else "−∞"
    return f"{value:.{digits}g}".replace("-", "−")


def parameters(result: FitResult) -> Html:
    """Return the fitted parameters, with uncertainty where it is known."""
    found = result.uncertainty
    columns: list[tuple[str, str | None]] = [("parameter", ID), ("value", NUMBER)]
    if found is not None:
        interval = f"{100 * found.level:g} % {found.kind} interval"
        columns += [("standard error", NUMBER), (interval, NUMBER)]
    columns += [("unit", PLAIN), ("remark", TEXT), ("start", NUMBER), ("bounds", NUMBER)]
    columns += [("prior", PLAIN), ("name", TEXT)]
    flags = {} if found is None else found.parameter_flags
    rows = []
    for place, p in enumerate(result.problem.free):
        row: list[Content] = [p.id, number(result.values[p.id], 6)]
        if found is not None:
            low, high = found.interval(p.id)
            row.append(number(float(found.standard_errors[place]), 2))
            row.append(f"{number(low)} … {number(high)}")
        remarks = [*(["at a bound"] if p.id in result.at_bounds else []), *flags.get(p.id, ())]
        row += [p.unit, "; ".join(remarks), number(float(result.free.start[place]))]
        row.append(f"{number(result.free.lower[place])} … {number(result.free.upper[place])}")
        row += [prior_text(p.prior), p.name]
        rows.append(row)
    return table(columns, rows)


def prior_text(prior: Prior | None) -> str:
    """Return a prior as it is written, by the names of PEtab; empty where there is none."""
    if prior is None:
        return ""
    told = ", ".join(map(number, prior.arguments))
    return f"{prior.distribution}({told}){' on its scale' if prior.on_scale else ''}"


def fixed_parameters(result: FitResult) -> Html:
    """Return the parameters of the problem that were held; empty without any."""
    rows = [
        (p.id, number(p.nominal, 6), p.unit, p.name)
        for p in result.problem.parameters
        if not p.is_estimated
    ]
    columns = [("parameter", ID), ("value", NUMBER), ("unit", PLAIN), ("name", TEXT)]
    return table(columns, rows, "Held at these values") if rows else Html()


def observables(result: FitResult) -> Html:
    """Return what was measured: formula, noise model, unit and number of measurements."""
    m = result.problem.measurements
    counts = {id: int((m.observable_index == i).sum()) for i, id in enumerate(m.observables)}
    rows = [
        (
            o.id,
            element("code", formula_text(o.formula)),
            noise_text(o.noise) if o.id in counts else "",
            o.unit,
            str(counts.get(o.id, 0)),
            o.name,
        )
        for o in result.problem.observables
    ]
    columns = [
        ("observable", ID),
        ("is, in the model", TEXT),
        ("noise model", TEXT),
        ("unit", PLAIN),
        ("measurements", NUMBER),
        ("name", TEXT),
    ]
    return table(columns, rows)


def noise_text(noise: Noise) -> str:
    """Return a noise model in words."""
    what = noise.kind.scale
    return noise.distribution + (f", {what}: {formula_text(noise.scale)}" if what else "")


def experiments(result: FitResult) -> Html:
    """Return what was done in each experiment."""
    m, snapshots = result.problem.measurements, result.problem.snapshots
    rows = []
    for e in result.problem.experiments:
        told = [_period(period) for period in e.periods]
        seen = m.condition.count(e.id)
        cells = 0 if snapshots is None else snapshots.condition.count(e.id)
        counts = [f"{seen} measurements"] if seen else []
        counts += [f"{cells} cells"] if cells else []
        rows.append((e.id or "(only one)", "; then ".join(told), ", ".join(counts), e.name))
    columns = [
        ("experiment", ID),
        ("conditions", TEXT),
        ("data", PLAIN),
        ("name", TEXT),
    ]
    return table(columns, rows)


def _period(period: Period) -> str:
    values = ", ".join(f"{id} = {formula_text(value)}" for id, value in period.values.items())
    told = values or "as in the model"
    if period.start == -math.inf:
        return f"before: {told}, until a steady state"
    return told if period.start == 0.0 else f"from time {number(period.start)}: {told}"


def starts(result: FitResult) -> Html:
    """Return what became of every start; empty where there was one."""
    if len(result.starts) < 2:
        return Html()
    rows = [
        (str(i), number(s.loss), str(s.epochs), "chosen" if s.fate == "best" else s.fate)
        for i, s in enumerate(result.starts, 1)
    ]
    columns = [
        ("start", NUMBER),
        ("last loss", NUMBER),
        ("epochs", NUMBER),
        ("what became of it", TEXT),
    ]
    return table(columns, rows)
