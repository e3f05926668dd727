"""Page and figure of the throughput against the size of an ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paper_records import BLACK, BLUE, GREEN, ORANGE, PINK, SKY, paragraph, table

from selection.contenders import Contender
from selection.loops import GUMBEL_MAX, GUMBEL_SOFTMAX, INVERSE
from selection.task import FIRINGS

#: Firings a second of the published implementation, on their graphics card.
PUBLISHED = (1.37e9, 2.30e9)

Records = Sequence[Mapping[str, Any]]

TITLES: Mapping[str, str] = {
    "dimerization": "Dimerisation, 2 reactions",
    "oscillator": "Oscillator, 16 reactions",
}

#: Selection → colour; what a contender is built with → line and marker.
COLOURS: Mapping[str, str] = {INVERSE: BLUE, GUMBEL_MAX: ORANGE, GUMBEL_SOFTMAX: PINK}
LINES: Mapping[str, tuple[str, str]] = {
    "ours": ("-", "o"),
    "tensors": ("--", "s"),
    "loop": (":", "^"),
    "peer": ("-", "D"),
}


def page(records: Records, everybody: Sequence[Contender], *, quick: bool) -> str:
    """Return the results as a page.

    Args:
        records: of all measurements.
        everybody: all contenders, in the order of tables.
        quick: whether turns were short.
    """
    measured = [r for r in records if "firings a second" in r]
    dates = sorted({str(r["date"]) for r in measured})
    lines = [
        "# Throughput against the size of an ensemble",
        "",
        *paragraph(
            f"{FIRINGS} firings of every trajectory; firings per second of processor time, one "
            "thread, what a call costs besides firings included. Contenders took turns; a figure "
            "is the median of its rounds, of which there are fewer where a call is long. From "
            "1,000 trajectories on, the mean of a species at the end is compared with that of the "
            "native engine; the last column has the largest difference in standard errors. Written "
            "by "
            "`validation/benchmarks/paper/paper_throughput.py`."
        ),
        *paragraph(f"Machine: {measured[-1]['machine']}. Measured {dates[0]} to {dates[-1]}."),
    ]
    if quick:
        lines += paragraph("A quick look: short turns, and no call of more than some seconds.")
    lines += paragraph(
        "Published: 1.37e9 to 2.30e9 firings a second on a graphics card (arXiv:2602.19775). "
        "No graphics card was at hand unless a row *sbmlgrad CUDA* says otherwise."
    )
    lines += paragraph(
        "Which selection exists where: engines of sbmlgrad select by the inverse of the cumulative "
        "sum and have no other way. Gumbel-softmax is what `simulate_soft` relaxes with; "
        "`StraightThrough` draws its noise only in the backward sweep, given the reaction that "
        "fired. Gumbel-max and straight-through Gumbel-softmax as ways to simulate exist in this "
        "benchmark only: *tensors* is a TensorFlow loop compiled by XLA with the engine's "
        "propensities and streams, *plain loop* a scalar loop compiled by numba. Each is the same "
        "but for the selection. GillesPy2 runs to the time by which a trajectory has had "
        f"{FIRINGS} firings on average."
    )
    models = [name for name in TITLES if any(r["model"] == name for r in records)]
    for model in models:
        lines += [f"## {TITLES[model]}", "", *_rates(records, everybody, model), ""]
        lines += _price(measured, everybody, model)
    return "\n".join(lines + _left_out(records, everybody)).rstrip() + "\n"


def _rates(records: Records, everybody: Sequence[Contender], model: str) -> list[str]:
    own = [r for r in records if r["model"] == model and "firings a second" in r]
    sizes = sorted({int(r["size"]) for r in own})
    rows = []
    for contender in everybody:
        rates = {int(r["size"]): r for r in own if r["contender"] == contender.name}
        if not rates:
            continue
        cells = [f"{rates[n]['firings a second']:.2e}" if n in rates else "" for n in sizes]
        deviations = [abs(r["z"]) for r in rates.values() if r.get("z") is not None]
        z = f"{max(deviations):.1f}" if deviations else ""
        rows.append((contender.title, contender.selection, *cells, z))
    return table(("", "selection", *(f"{n:,}" for n in sizes), "max abs z"), rows)


def _price(measured: Records, everybody: Sequence[Contender], model: str) -> list[str]:
    """Say what Gumbel selections cost beside the inverse of the cumulative sum."""
    said = []
    for kind, words in (("tensors", "on tensors"), ("loop", "in the plain loop")):
        own = {c.selection: c.name for c in everybody if c.kind == kind}
        rates: dict[str, dict[int, float]] = {
            way: {
                int(r["size"]): float(r["firings a second"])
                for r in measured
                if r["model"] == model and r["contender"] == name
            }
            for way, name in own.items()
        }
        common = set.intersection(*(set(of_way) for of_way in rates.values())) if rates else set()
        if not common:
            continue
        size = max(common)
        times = [
            f"{rates[INVERSE][size] / rates[way][size]:.1f} times as long with {way}"
            for way in (GUMBEL_MAX, GUMBEL_SOFTMAX)
        ]
        said.append(f"{words}, {size:,} trajectories: {' and '.join(times)}")
    if not said:
        return []
    return paragraph(
        f"A firing takes, beside the inverse of the cumulative sum: {'; '.join(said)}."
    )


def _left_out(records: Records, everybody: Sequence[Contender]) -> list[str]:
    order = {c.name: place for place, c in enumerate(everybody)}
    found = [r for r in records if "left out" in r and r["contender"] in order]
    found.sort(key=lambda r: (order[str(r["contender"])], str(r["model"]), int(r["size"])))
    rows = [
        (
            everybody[order[str(r["contender"])]].title,
            str(r["model"]),
            f"{int(r['size']):,}",
            str(r["left out"]),
        )
        for r in found
    ]
    heads = ("", "model", "from trajectories", "why")
    return ["## Not measured", "", *table(heads, rows)] if rows else []


def plot(records: Records, everybody: Sequence[Contender], path: Path) -> None:
    """Draw firings per second against trajectories, both logarithmic, a panel a model."""
    from matplotlib.figure import Figure

    measured = [r for r in records if "firings a second" in r]
    models = [name for name in TITLES if any(r["model"] == name for r in measured)]
    figure = Figure(figsize=(5.6 * len(models) + 3.4, 5.4), layout="constrained")
    panels = figure.subplots(1, len(models), squeeze=False, sharex=True, sharey=True)[0]
    for axes, model in zip(panels, models, strict=True):
        axes.axhspan(*PUBLISHED, color="0.85", label="published, their graphics card")
        for contender in everybody:
            own = sorted(
                (int(r["size"]), float(r["firings a second"]))
                for r in measured
                if r["model"] == model and r["contender"] == contender.name
            )
            if not own:
                continue
            line, marker = LINES[contender.kind]
            axes.plot(
                *zip(*own, strict=True),
                line,
                marker=_marker(contender, marker),
                color=_colour(contender),
                markersize=4.5,
                linewidth=1.3,
                label=_label(contender),
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("trajectories")
        axes.set_title(TITLES[model])
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("firings per second of one core")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False)
    figure.savefig(path, dpi=130)


def _colour(contender: Contender) -> str:
    special = {"gillespy2": BLACK, "lockstep_float32": SKY, "tensorflow": GREEN, "cuda": GREEN}
    return special.get(contender.name, COLOURS[contender.selection])


def _marker(contender: Contender, marker: str) -> str:
    return {"table": "v", "soft": "x", "cuda": "*"}.get(contender.name, marker)


def _label(contender: Contender) -> str:
    named = contender.kind in ("tensors", "loop") or contender.name == "soft"
    return contender.title if named else f"{contender.title}, {contender.selection}"
