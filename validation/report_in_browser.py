"""Does the report of a fit read in a browser, at a desk and on a telephone?

Run `python validation/report_in_browser.py --out FILE.md --pictures DIR`. Two short fits write
their `report.html`: one of means, with residuals and intervals, and one of counts in cells, with
distributions. Chromium opens each at the width of a desk and at that of a telephone. Nothing may
reach beyond the page, every picture must be drawn, nothing may be written to the console, and no
address but that of the file may be asked for. `--plant` puts a fault into the page; then the exit
code must be 1.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from browser import Page, browser

import sbmlgrad as sg
from sbmlgrad.fit.objectives import StateSpaceLikelihood
from sbmlgrad.fit.report import report_html
from sbmlgrad.model.snapshots import Snapshots

MODELS = Path(__file__).parents[1] / "models"
#: Name → (width and height in CSS pixels, whether it is a telephone).
SCREENS = {"desk": (1280, 900, False), "telephone": (360, 740, True)}
SCHEMES = ("light", "dark")
#: Letters of pictures smaller than this, in CSS pixels, are hard to read.
SMALLEST = 8.0
CELLS, TIMES = 60, (2.0, 8.0)

#: What the page is asked about itself, with everything unfolded.
MEASURE = """
for (const folded of document.querySelectorAll('details')) folded.open = true;
const inside = (box, outer) => box.left >= outer.left - 1 && box.right <= outer.right + 1;
return {
  scroll: document.documentElement.scrollWidth,
  hidden: [...document.querySelectorAll('th[scope=row] ~ td')].filter(
    cell => cell.getBoundingClientRect().left > document.documentElement.clientWidth - 60
  ).map(cell => cell.parentElement.textContent),
  images: [...document.images].map(i => [i.src.slice(0, 60), i.naturalWidth]),
  figures: [...document.querySelectorAll('figure')].map(figure => {
    const svg = figure.querySelector('svg'), box = svg ? svg.getBoundingClientRect() : null;
    const texts = svg ? [...svg.querySelectorAll('text')] : [];
    const scale = svg ? box.width / svg.viewBox.baseVal.width : 0;
    const sizes = texts.map(t => scale * parseFloat(getComputedStyle(t).fontSize));
    return {
      name: svg ? svg.querySelector('title').textContent : '',
      width: box ? box.width : 0,
      height: box ? box.height : 0,
      shapes: svg ? [...svg.querySelectorAll('path, use, image')].filter(p => {
        const own = p.getBoundingClientRect();
        return own.width > 0 || own.height > 0;
      }).length : 0,
      cut: texts.filter(t => !inside(t.getBoundingClientRect(), box)).map(t => t.textContent),
      smallest: sizes.length ? Math.min(...sizes) : 0,
    };
  }),
};
"""

#: What `--plant` puts into the page → its text.
FAULTS = {
    "wide": "<div style='width: 2000px'>x</div>",
    "request": "<img alt='' src='https://example.org/a.png'/>",
    "error": "<script>throw new Error('planted')</script>",
    "name": "<div class='wide'><table><tr><th scope='row'><div style='width: 500px'>x</div></th>"
    "<td>1</td></tr></table></div>",
    "picture": "<figure><svg viewBox='0 0 9 9'><title>none</title></svg></figure>",
}


@dataclass(frozen=True)
class Seen:
    """A report on one screen.

    Attributes:
        report: its name.
        screen: its name.
        measured: what the page said about itself.
        strangers: addresses asked for beside that of the file.
        console: what was written there.
    """

    report: str
    screen: str
    measured: dict[str, Any]
    strangers: list[str]
    console: list[str]

    def faults(self) -> list[str]:
        """Return what is wrong, in words."""
        # A telephone zooms out to what is too wide, so that the page cannot be asked for its own.
        inner, scroll = SCREENS[self.screen][0], self.measured["scroll"]
        found = [f"asks for {address}" for address in self.strangers]
        found += [f"console: {line}" for line in self.console]
        if scroll > inner:
            found.append(f"is {scroll} pixels wide on a screen of {inner}")
        found += [f"image {name} is empty" for name, width in self.measured["images"] if not width]
        found += [f"the value of '{row}' is out of sight" for row in self.measured["hidden"]]
        if not self.measured["figures"]:
            found.append("has no pictures")
        for one in self.measured["figures"]:
            if not (one["width"] and one["height"] and one["shapes"]):
                found.append(f"picture '{one['name']}' is empty")
            if one["cut"]:
                found.append(f"picture '{one['name']}' cuts off {', '.join(one['cut'])}")
            if one["smallest"] and one["smallest"] < SMALLEST:
                found.append(f"picture '{one['name']}' has letters of {one['smallest']:.1f} pixels")
        return [f"{self.report}, {self.screen}: {words}" for words in found]

    def row(self) -> str:
        """Return it as a row of the table."""
        figures = self.measured["figures"]
        cells = [
            self.report,
            self.screen,
            str(SCREENS[self.screen][0]),
            str(self.measured["scroll"]),
            str(len(figures)),
            str(sum(bool(one["shapes"] and one["width"]) for one in figures)),
            f"{min((one['smallest'] for one in figures if one['smallest']), default=0.0):.1f}",
            str(len(self.console)),
            str(len(self.strangers)),
        ]
        return f"| {' | '.join(cells)} |"


def of_means() -> sg.FitResult:
    """Return a short fit of replicates, from several starts, with intervals."""
    model = sg.load(MODELS / "sbml" / "dimerization.xml").with_parameters({"k1": 0.02, "k2": 0.2})
    data = sg.load_measurements(MODELS / "data" / "dimerization_counts.csv")
    result = sg.fit(model, data, seed=1, starts=3, epochs=100, trajectories=64)
    return sg.with_uncertainty(result, sg.uncertainty(result, level=0.95))


def of_cells() -> sg.FitResult:
    """Return a fit of counts in cells of the model itself, by the exact likelihood."""
    model = sg.load(MODELS / "sbml" / "immigration_death.xml")
    drawn = [
        sg.simulate(model, times=[time], trajectories=CELLS, seed=5 + place).counts[:, 0, :1]
        for place, time in enumerate(TIMES)
    ]
    counts = np.concatenate(drawn).astype(np.int64)
    cells = Snapshots(model.species_ids[:1], np.repeat(TIMES, CELLS), counts)
    objective = StateSpaceLikelihood()
    result = sg.fit(model, cells, objective=objective, seed=1, epochs=60, trajectories=200)
    found = sg.uncertainty(result, level=0.95, objective=objective)
    return sg.with_uncertainty(result, found)


def planted(text: str, fault: str | None) -> str:
    """Return a page with one of `FAULTS` in it, or as it is."""
    return text if fault is None else text.replace("</main>", f"{FAULTS[fault]}</main>")


def look(page: Page, name: str, path: Path, pictures: Path | None) -> Iterator[Seen]:
    """Open a report on every screen; pictures are taken in light and dark."""
    for screen, (width, height, is_telephone) in SCREENS.items():
        page.width(width, height, is_telephone=is_telephone)
        page.requests()
        page.console()
        own = page.open(path)
        measured = page.script(MEASURE)
        strangers = [a for a in page.requests() if a != own and not a.startswith("data:")]
        if pictures is not None:
            for scheme in SCHEMES:
                page.colours(scheme)
                (pictures / f"{name}_{screen}_{scheme}.png").write_bytes(page.picture())
        yield Seen(name, screen, measured, strangers, page.console())


def main() -> int:
    """Print a table of reports and screens; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="chromium", help="name or path")
    parser.add_argument("--chromedriver", default="chromedriver", help="name or path")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the pages")
    parser.add_argument("--plant", choices=FAULTS, help="put this fault into the pages")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    programs = {"chromium": options.chromium, "chromedriver": options.chromedriver}
    paths = {name: shutil.which(given) for name, given in programs.items()}
    if missing := [name for name, path in paths.items() if path is None]:
        parser.error(f"there is no program {' and no '.join(programs[name] for name in missing)}")
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
    lines, faults, versions = [HEAD], [], ""
    with tempfile.TemporaryDirectory(prefix="reports-") as folder:
        for name, make in (("means", of_means), ("cells", of_cells)):
            path = Path(folder) / f"{name}.html"
            path.write_text(planted(report_html(make()), options.plant), encoding="utf-8")
            with browser(str(paths["chromium"]), str(paths["chromedriver"])) as page:
                versions = page.versions
                for seen in look(page, name, path, options.pictures):
                    lines.append(seen.row())
                    faults += seen.faults()
    told = "\n".join(lines)
    print(f"{versions}\n\n{told}")
    print("\n".join(faults), file=sys.stderr)
    if options.out is not None:
        found = "\n".join(f"- {fault}" for fault in faults) or "Nothing was wrong."
        options.out.write_text(
            REPORT.format(versions, told, found, kept(options.out)), encoding="utf-8"
        )
    return int(bool(faults))


HEAD = """\
| report | screen | width | content | pictures | drawn | letters | console | requests |
|---|---|--:|--:|--:|--:|--:|--:|--:|"""

REPORT = """# The report of a fit in a browser

Written by `validation/report_in_browser.py`, with {}.

Two short fits write their `report.html`; each is opened at two widths with everything unfolded.
*Width* is that of the screen and *content* that of the page, in CSS pixels; *drawn* counts pictures
that have a size and shapes of some size in them; *letters* is the smallest size of those of
pictures, in CSS pixels; *console* counts lines written there, and *requests* addresses asked for
beside the file. That labels of pictures are not cut off at the sides, and that names and values of
settings stand side by side, is looked at too.

{}

{}

{}
"""

#: From here on the page is what people wrote who looked at the pictures; it is kept.
BY_EYE = "## Seen by eye"


def kept(path: Path) -> str:
    """Return what people wrote into the page that is there."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return text[text.index(BY_EYE) :].rstrip() if BY_EYE in text else BY_EYE


if __name__ == "__main__":
    sys.exit(main())
