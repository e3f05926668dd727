"""The results folder of a fit: calibrated model, table, plots, report, provenance."""

from __future__ import annotations

import base64
import html
import io
import json
from pathlib import Path

from sbmlgrad.errors import WriteError
from sbmlgrad.fit.plots import plot_fit, plot_history
from sbmlgrad.fit.result import FitResult
from sbmlgrad.io.files import write_atomically
from sbmlgrad.io.formats import save

#: Files of the folder, in the order in which they are written.
FILES = (
    "calibrated.xml",
    "parameters.tsv",
    "fit.png",
    "history.png",
    "provenance.json",
    "report.html",
)


def write_results(result: FitResult, folder: str | Path) -> tuple[Path, ...]:
    """Write everything about a fit into one folder, each file complete or not at all.

    Args:
        result: the fit.
        folder: created if it does not exist; files of an earlier fit are replaced.

    Returns:
        The files written.

    Raises:
        WriteError: the folder cannot be made or written.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{target}: cannot be made a folder: {error}") from error
    save(result.model, target / "calibrated.xml")
    table = result.parameter_table().to_csv(sep="\t", index=False, lineterminator="\n")
    pictures = {"fit.png": _png(plot_fit(result)), "history.png": _png(plot_history(result))}
    write_atomically(target / "parameters.tsv", table.encode())
    for name, data in pictures.items():
        write_atomically(target / name, data)
    write_atomically(target / "provenance.json", provenance_json(result).encode())
    write_atomically(target / "report.html", report_html(result, pictures).encode())
    return tuple(target / name for name in FILES)


def _png(figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160)
    return buffer.getvalue()


def summary(result: FitResult) -> dict[str, object]:
    """Return the result as plain data, for `--json` and `provenance.json`."""
    provenance = result.model.provenance
    assert provenance is not None
    return {
        "model": result.model.id,
        "values": dict(result.values),
        "start": dict(zip(result.free.ids, result.free.start.tolist(), strict=True)),
        "at_bounds": list(result.at_bounds),
        "loss": result.loss,
        "loss_standard_error": result.loss_standard_error,
        "start_loss": result.start_loss,
        "epochs": len(result.loss_history),
        "trajectories_per_epoch": result.trajectories_history.tolist(),
        "objective": result.objective,
        "end": result.reason,
        "seed": result.seed,
        "estimator": result.estimator,
        "optimizer": result.optimizer,
        "engine": result.engine,
        "interrupted": result.interrupted,
        "assumptions": list(result.assumptions),
        "data": {"name": provenance.data_name, "sha256": provenance.data_sha256},
        "software": dict(provenance.software),
        "finished": provenance.finished,
    }


def provenance_json(result: FitResult) -> str:
    """Return how the result came about as JSON text."""
    return json.dumps(summary(result), indent=2) + "\n"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
        padding: 0 1rem }}
img {{ max-width: 100%; height: auto }}
table {{ border-collapse: collapse; display: block; overflow-x: auto }}
th, td {{ text-align: left; padding: .25rem .8rem; border-bottom: 1px solid #ddd }}
td.n {{ font-variant-numeric: tabular-nums; text-align: right }}
</style></head><body>
<h1>{title}</h1>
<p>{lead}</p>
<img alt="data with the fitted model" src="data:image/png;base64,{fit}">
<h2>Parameters</h2>
{parameters}
<h2>Optimisation</h2>
<p>{optimisation}</p>
<img alt="loss and parameters over the epochs" src="data:image/png;base64,{history}">
<h2>Assumptions</h2>
<ul>{assumptions}</ul>
<h2>Provenance</h2>
{provenance}
</body></html>
"""


def report_html(result: FitResult, pictures: dict[str, bytes]) -> str:
    """Return a page that needs no other file and makes no request."""
    details = summary(result)
    data = result.problem.measurements
    lead = (
        f"{len(data)} measurements of {', '.join(data.observables)} from "
        f"{data.source_name or 'memory'}; loss by {result.objective} {result.loss:.4g} ± "
        f"{result.loss_standard_error:.2g} (Monte-Carlo standard error), "
        f"{result.start_loss:.4g} before."
    )
    optimisation = (
        f"{details['epochs']} epochs of {result.words_for_trajectories}, {result.optimizer}, "
        f"gradient by {result.estimator}, seed {result.seed}; ended because {result.reason}."
    )
    if result.interrupted:
        optimisation += " Interrupted: the best values so far."
    software = details["software"]
    assert isinstance(software, dict)
    rows = {
        "data SHA-256": data.sha256,
        "engine": result.engine,
        "finished": str(details["finished"]),
        **{f"version of {name}": str(version) for name, version in software.items()},
    }
    return _PAGE.format(
        title=html.escape(f"Fit of {result.model.id}"),
        lead=html.escape(lead),
        fit=base64.b64encode(pictures["fit.png"]).decode(),
        history=base64.b64encode(pictures["history.png"]).decode(),
        parameters=_parameter_table(result),
        optimisation=html.escape(optimisation),
        assumptions="".join(f"<li>{html.escape(a)}</li>" for a in result.assumptions),
        provenance=_table([(k, html.escape(v)) for k, v in rows.items()]),
    )


def _parameter_table(result: FitResult) -> str:
    rows = []
    for row in result.parameter_table().to_dict("records"):
        note = " (at a bound)" if row["atBound"] else ""
        rows.append(
            f"<tr><td>{html.escape(row['parameterId'])}</td>"
            f"<td class=n>{row['value']:.6g}</td><td>{html.escape(row['unit'])}{note}</td>"
            f"<td class=n>{row['start']:.6g}</td>"
            f"<td class=n>{row['lowerBound']:.3g} … {row['upperBound']:.3g}</td></tr>"
        )
    head = "<tr><th>parameter</th><th>value</th><th>unit</th><th>start</th><th>bounds</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _table(rows: list[tuple[str, str]]) -> str:
    body = "".join(f"<tr><td>{html.escape(k)}</td><td>{v}</td></tr>" for k, v in rows)
    return f"<table>{body}</table>"
