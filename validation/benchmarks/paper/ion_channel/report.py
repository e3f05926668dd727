"""Page of the paper's ion channel, on sweeps simulated from the published rates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from paper_records import paragraph, table, told_provenance

from ion_channel.errors import of_one_sweep
from ion_channel.exact import bounds
from ion_channel.fits import AWAY, DESCENTS, Fit
from ion_channel.sweeps import (
    CHANNELS,
    EDGES,
    INTERVAL,
    POOLED,
    SAMPLES,
    STEP,
    SWEEPS,
    truth,
)
from ion_channel.tables import (
    NAMES,
    WORDS,
    Group,
    all_rows,
    error_cells,
    groups,
    off,
    quality_row,
    setting_cells,
    three,
    times,
    times_of,
    who,
)

FloatArray = NDArray[np.float64]

#: Published quality on the real recording: R², RMSE, RMSE over the largest mean; and time in s.
PUBLISHED, PUBLISHED_SECONDS = (0.987, 0.021, 0.035), 112

#: What every rate must be within from `MANY` sweeps, and by which methods.
WITHIN, MANY, JUDGED = 0.02, 1_000_000, ("openings", "mean_and_changes")

#: Epochs that the end of a descent averages over, about.
AVERAGED = 20


def is_missed(fits: Sequence[Fit]) -> bool:
    """Tell whether a rate from many sweeps is further off than it may be."""
    many = [f for f in fits if f.sweeps >= MANY and f.method in JUDGED]
    return any(np.abs(off(fit)).max() > WITHIN for fit in many)


def page(fits: Sequence[Fit]) -> str:
    """Return the results as a page."""
    lines = ["# Ion channel C ⇌ O → I, on sweeps simulated from the published rates", ""]
    lines += _head(fits)
    lines += _few(fits)
    for count in sorted({fit.sweeps for fit in fits if fit.sweeps >= MANY}):
        lines += _many(fits, count)
    lines += ["## Every seed", "", *_bounds(fits)]
    head = ("rates", "sweeps", "seed", *NAMES, "R²", "trajectories")
    lines += [*table(head, all_rows(fits)), ""]
    return "\n".join(lines)


def _head(fits: Sequence[Fit]) -> list[str]:
    rates = ", ".join(f"{n} = {r:g}" for n, r in zip(NAMES, truth(), strict=True))
    return [
        *paragraph(
            "The recording that the paper fits may not be redistributed and was not at hand. All "
            f"data of this page were SIMULATED FROM THE PUBLISHED RATES: {rates} per ms, "
            f"{CHANNELS} channels, closed at first, {SAMPLES} samples of {INTERVAL:g} ms. Sweeps "
            "are averaged over the bins between samples; no trajectory is cut at 20 firings: the "
            "state I absorbs, and all are followed to the end of the sweep. Written by "
            "`validation/benchmarks/paper/paper_ion_channel.py`."
        ),
        "What is fitted:",
        "",
        f"- *mean*: averages of open channels over windows of {POOLED * INTERVAL:g} ms;",
        f"- *mean and changes*: means at samples, squares of changes over {STEP:g} ms;",
        f"- *openings*: time open, number and times of openings, by samples {INTERVAL:g} ms apart.",
        "",
        *paragraph(
            f"Descents are RMSprop from up to a factor {AWAY:g} off in every rate, with new "
            "trajectories in every epoch and learning rates that fall from the first to the second "
            "by the same factor in each. *Maximum likelihood* and *least squares* start from rates "
            "that the data suggest, several orders of magnitude apart; the best end is kept."
        ),
        *paragraph(told_provenance([fit.as_record() for fit in fits])),
        *_unknown(fits),
    ]


def _unknown(fits: Sequence[Fit]) -> list[str]:
    silent = sum(fit.date is None for fit in fits)
    if not silent or silent == len(fits):
        return []
    return paragraph(
        f"{silent} of {len(fits)} records are older and hold neither date, machine, threads nor "
        "learning rates."
    )


def _few(fits: Sequence[Fit]) -> list[str]:
    found = groups(fits, SWEEPS)
    if not found:
        return []
    head = ("rates", "trajectories", "epochs", "learning rates", "seeds", "R² (least to greatest)")
    head = (*head, "RMSE", "of the largest mean", "processor, s", "wall, s")
    errors = of_one_sweep()
    seeds_of = {method: {fit.seed: fit for fit in own} for method, _, own in found}
    best = seeds_of.get("maximum likelihood", {})
    return [
        f"## {SWEEPS} sweeps",
        "",
        *paragraph(
            f"Published, on the real recording of {SWEEPS} sweeps: R² {PUBLISHED[0]}, RMSE "
            f"{PUBLISHED[1]}, {100 * PUBLISHED[2]:g} % of the largest mean, in "
            f"{PUBLISHED_SECONDS} s on a GPU, with 262,144 trajectories in each of 400 epochs. "
            "Below, means over seeds. R² of the published rates, which are the truth here, is what "
            "sampling alone leaves. The machine was shared with other work: time of the processor "
            "says more than wall time."
        ),
        *table(head, (quality_row(*group) for group in found)),
        "",
        *paragraph(
            "Root mean squares of the relative errors of rates over seeds, with their own standard "
            "errors, and in brackets the standard error that must be expected: by the delta method "
            "from exact slopes and covariances, for maximum likelihood from the Fisher "
            "information. With five seeds a root mean square is itself uncertain by a third."
        ),
        *table(
            ("rates", "trajectories", "seeds", *NAMES),
            (
                (
                    WORDS[m],
                    *who(m, s, own),
                    *error_cells(np.array([off(f) for f in own]), errors[m]),
                )
                for m, s, own in found
                if m in errors
            ),
        ),
        "",
        *paragraph(_loss()),
        *_beside(found, best),
    ]


def _loss() -> str:
    errors = of_one_sweep()
    best = errors["maximum likelihood"]
    levels, three, mean = (errors[m] / best for m in ("mean_and_changes", "openings", "mean"))
    return (
        "What a statistic loses against maximum likelihood: standard errors of k_open, k_close and "
        f"k_inact are {times(three)} those of maximum likelihood with openings, {times(levels)} "
        f"with mean and changes, and {times(mean)} with the mean alone. A root mean square below "
        "that of maximum likelihood in the table is luck of these seeds."
    )


def _beside(found: Sequence[Group], best: dict[int, Fit]) -> list[str]:
    errors = of_one_sweep()
    rows = []
    for method, setting, own in found:
        both = [fit for fit in own if fit.seed in best]
        if method in ("published rates", "maximum likelihood") or not both:
            continue
        ratios = [np.array(fit.rates) / np.array(best[fit.seed].rates) for fit in both]
        # What is not efficient is what is, plus noise that does not correlate with it.
        variance = errors[method] ** 2 - errors["maximum likelihood"] ** 2
        expected = np.sqrt(np.maximum(variance, 0.0))
        r2 = np.array([fit.quality[0] - best[fit.seed].quality[0] for fit in both])
        told = (f"{r2.mean():+.3f} ({r2.min():+.3f} to {r2.max():+.3f})",)
        cells = who(method, setting, both)
        rows.append((WORDS[method], *cells, *error_cells(np.array(ratios) - 1.0, expected), *told))
    if not rows:
        return []
    return [
        *paragraph(
            "The same sweeps, by how much fits differ from maximum likelihood: root mean squares "
            "of relative differences, likewise, and differences of R², their mean and range."
        ),
        *table(("rates", "trajectories", "seeds", *NAMES, "R²"), rows),
        "",
    ]


def _many(fits: Sequence[Fit], count: int) -> list[str]:
    errors = of_one_sweep()
    found = groups(fits, count)
    settings = ("trajectories", "epochs", "learning rates")
    most = max((s[0] for m, s, _ in found if m in JUDGED), default=1) or 1
    return [
        f"## {count:,} sweeps",
        "",
        *paragraph(
            f"Relative errors of every seed{_alone(found)}. Standard errors from {count:,} sweeps "
            f"are {three(errors['openings'], count)} with openings, "
            f"{three(errors['mean_and_changes'], count)} with mean and changes, and "
            f"{three(errors['mean'], count)} with the mean. Trajectories of the descents add their "
            f"own scatter: if the end averages over {AVERAGED} epochs of {most:,} trajectories, "
            f"{three(errors['openings'], AVERAGED * most)} with openings and "
            f"{three(errors['mean_and_changes'], AVERAGED * most)} with mean and changes."
        ),
        *table(
            ("rates", *settings, "seed", *NAMES, "processor, s", "wall, s"),
            (
                (
                    WORDS[method],
                    *setting_cells(method, setting, [fit]),
                    str(fit.seed),
                    *(f"{100 * e:+.2f} %" for e in off(fit)),
                    *times_of([fit]),
                )
                for method, setting, own in found
                for fit in own
            ),
        ),
        "",
        "Root mean squares over seeds, likewise; in brackets what the sweeps alone allow:",
        "",
        *table(
            ("rates", "trajectories", "seeds", *NAMES),
            (
                (
                    WORDS[m],
                    *who(m, s, own),
                    *error_cells(np.array([off(f) for f in own]), errors[m], count, digits=2),
                )
                for m, s, own in found
                if m in errors
            ),
        ),
        "",
    ]


def _alone(found: Sequence[Group]) -> str:
    is_alone = all(len(own) == 1 for method, _, own in found if method in DESCENTS)
    return ", of which there is one for each method" if is_alone else ""


def _bounds(fits: Sequence[Fit]) -> list[str]:
    ended = [
        f"{WORDS[fit.method]}, {fit.sweeps:,} sweeps, seed {fit.seed}: {name}"
        for fit in fits
        for name, is_there in zip(NAMES, fit.at_bound, strict=False)
        if is_there
    ]
    low, high = bounds(INTERVAL, float(EDGES[-1]))
    told = "; ".join(ended) if ended else "none did"
    return paragraph(
        f"Exact fits may not leave {low:.3g} to {high:.3g} per ms: slower and faster rates do not "
        f"show in such sweeps. A rate that ended there is not determined by the data (marked *), "
        f"and root mean squares hold it as it is: {told}."
    )
