"""How pages look: light and dark, on a telephone, on paper."""

from __future__ import annotations

#: Colour of figures → its name in the style sheet, so that pictures follow the page.
COLOURS = {
    "#0072b2": "var(--blue)",
    "#d55e00": "var(--orange)",
    "#009e73": "var(--green)",
    "#666666": "var(--grey)",
    "#ffffff": "var(--page)",
    "#0a0b0c": "var(--ink)",
    "#b0b0b0": "var(--line)",
}

#: Colour of text and axes in figures before it is replaced; no other part has it.
INK = "#0a0b0c"

STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --card: #f6f7f8; --ink: #1b1f23;
  --soft: #57606a; --line: #c9ced4; --blue: #0072b2; --orange: #d55e00; --green: #007d5c;
  --grey: #6a6f75; --alarm: #fff4e5; }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --card: #1d2125; --ink: #e6e8ea;
  --soft: #a3abb3; --line: #454c53; --blue: #56b4e9; --orange: #f28e4b; --green: #3dc49a;
  --grey: #9aa1a8; --alarm: #3a2c17; } }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  color: var(--ink); background: var(--page); max-width: 66rem; margin: 0 auto;
  padding: 1.2rem 1rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .4rem 0 .8rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; padding-top: .6rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p, li { max-width: 46rem; }
.lead { font-size: 1.1rem; }
.note { color: var(--soft); font-size: .9rem; }
.look { background: var(--alarm); border-left: 4px solid var(--orange); padding: .6rem 1rem;
  border-radius: 4px; }
.look ul { margin: .3rem 0; padding-left: 1.1rem; }
.wide { overflow-x: auto; background:
  linear-gradient(var(--page), var(--page)) right / 1.2rem 100% no-repeat local,
  linear-gradient(to left, var(--line), transparent) right / .7rem 100% no-repeat; }
.wide + .wide { margin-top: 1rem; }
table { border-collapse: collapse; font-size: .92rem; }
caption { text-align: left; color: var(--soft); font-size: .9rem; padding-bottom: .3rem; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: normal; }
th:last-child, td:last-child { padding-right: 0; }
th { font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.id { white-space: nowrap; font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
td.text { min-width: 8rem; overflow-wrap: anywhere; }
code, pre { font: .88rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
pre { background: var(--card); padding: .7rem 1rem; border-radius: 4px; overflow-x: auto;
  white-space: pre-wrap; }
.panels { display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fill, minmax(min(19.5rem, 100%), 1fr)); }
figure { margin: 0; background: var(--card); border-radius: 6px; padding: .3rem; }
figure svg { display: block; width: 100%; height: auto; }
svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans",
  sans-serif !important; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0;
  margin: .4rem 0 .8rem; font-size: .9rem; }
.key svg { width: 1.9rem; height: .8rem; vertical-align: baseline; margin-right: .4rem; }
details { margin: .6rem 0; }
summary { cursor: pointer; color: var(--soft); }
@media (max-width: 30rem) {
  table { font-size: .85rem; }
  th, td { padding-right: .6rem; }
  th[scope="row"] { white-space: normal; width: 45%; overflow-wrap: anywhere; }
  th[scope="row"] ~ td.text { min-width: 0; }
}
@media print {
  :root { --page: #ffffff; --card: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb;
    --blue: #0072b2; --orange: #d55e00; --green: #007d5c; --grey: #666666; --alarm: #ffffff; }
  body { font-size: 10pt; max-width: none; padding: 0; }
  .panels { grid-template-columns: repeat(2, 1fr); }
  figure, tr, .look { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .wide { overflow: visible; }
  table { font-size: 8pt; }
  th, td, td.n, td.id { white-space: normal; padding-right: .5rem; }
  td.text { min-width: 0; }
}
"""
