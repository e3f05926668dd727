"""Inputs of `sbmlgrad fit` that are wrong in one way each: files, arguments, what must be said.

A kind is (files, arguments, fragments of the message). `m.ant` and `d.csv` are there unless a kind
replaces them; the arguments stand for `fit m.ant d.csv --free k,d` unless they begin with a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from data_files import Sheets

MODEL = """
unit substance = item; unit extent = item; unit minute = 60 second;
unit time_unit = minute; compartment cell = 1;
substanceOnly species A in cell, B in cell; A = 100; B = 0;
k = 0.5; d = 0.1; half := k/2; other = 1; twice = 2*other; zero = 0;
J: A -> B; k*A - half*B; D: B => ; d*B; Z: => A; zero*other*twice;
"""

DATA = "time,A\n0,100\n1,60\n2,40\n"


@dataclass(frozen=True)
class Wrong:
    """One kind of wrong input."""

    said: list[str]
    files: dict[str, str | Sheets] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    first: tuple[str, ...] = ("m.ant", "d.csv", "--free", "k,d")

    @property
    def arguments(self) -> list[str]:
        """Of `sbmlgrad fit`, without the folder."""
        return [*self.first, *self.extra]


def table(text: str, *said: str, extra: tuple[str, ...] = ()) -> Wrong:
    """Return a kind of a wrong table of measurements."""
    return Wrong(["d.csv", *said], {"d.csv": text}, extra)


def book(sheets: Sheets, *said: str, extra: tuple[str, ...] = ()) -> Wrong:
    """Return a kind of a wrong workbook."""
    first = ("m.ant", "d.xlsx", "--free", "k,d")
    return Wrong(["d.xlsx", *said], {"d.xlsx": sheets}, extra, first)


def options(*extra: str, said: list[str], free: str = "k,d") -> Wrong:
    """Return a kind of wrong options."""
    return Wrong(said, {}, extra, ("m.ant", "d.csv", "--free", free))


def mapping(
    text: str,
    *said: str,
    data: str = DATA,
    extra: tuple[str, ...] = (),
    name: str = "map.tsv",
    free: str = "k,d",
) -> Wrong:
    """Return a kind of a wrong mapping file."""
    first = ("m.ant", "d.csv", "--free", free, "--mapping", name)
    return Wrong(list(said), {name: text, "d.csv": data}, extra, first)


NOISE = "observableId\tnoiseFormula\n"

UNDER_LOW = "time,A,condition\n0,5,low\n1,4,low\n"


def condition_of(id: str, why: str) -> Wrong:
    """Return a kind of a condition that sets what cannot be set."""
    return mapping(
        f"{NOISE}A\t1\n\nconditionId\t{id}\nlow\t5.5\n",
        "map.tsv",
        f"row 5, column B ('{id}')",
        why,
        data=UNDER_LOW,
        extra=("--engine", "ode"),
    )


KINDS: dict[str, Wrong] = {
    # Files as a whole.
    "no data file": Wrong(["no.csv", "no such file"], first=("m.ant", "no.csv")),
    "no model": Wrong(["no.xml", "no such file"], first=("no.xml", "d.csv")),
    "broken model": Wrong(
        ["bad.xml", "line 1", "not well-formed"],
        {"bad.xml": "<sbml><model></sbml>"},
        first=("bad.xml", "d.csv"),
    ),
    "model without values": Wrong(
        ["initial_value_missing", "B: ", "q: a formula needs its value"],
        {"bad.ant": "A = 1; k = 1; J: A -> B; k*A*q;"},
        first=("bad.ant", "d.csv", "--free", "k"),
    ),
    "empty": table("", "the file is empty"),
    "wrong delimiter": table("time|A\n0|1\n", "row 1", "one column only", "'|' separates"),
    "dwell record": table("state,dwell_ms\n1,2\n3,3\n", "row 1", "record of dwell times"),
    # Columns.
    "no time": table("A,B\n1,2\n", "row 1", "no time column among 'A', 'B'", "--time-column"),
    "two times": table("time,time,A\n0,1,2\n", "row 1", "columns A ('time') and B ('time')"),
    "no such time column": table(DATA, "row 1", "column 't'", extra=("--time-column", "t")),
    "unknown observable": table("time,Q\n0,1\n", "column 'Q'", "has A, B", '--map "Q='),
    "unknown column to map": table(DATA, "'Q'", "found 'A'", extra=("--map", "Q=A")),
    "unknown symbol to map": table(DATA, "'Q'", extra=("--map", "A=Q")),
    "two headers": table("time,A,A\n,run 1,run 2\n0,1,2\n", "row 2, column B", "'run 1'"),
    "conditions unexplained": table("time,A,condition\n0,5,x\n1,2,y\n", "2 conditions ('x', 'y')"),
    "other unit of time": table("time [h],A\n0,1\n", "in h", "in minute", "factor of 60"),
    "time that no simulation reaches": table("time,A\n0,1\n1e300,2\n", "1e+300", "correct it"),
    "unit of no time": table("time [m],A\n0,1\n", "'m'", "in minute", "week"),
    "other prefix of a unit": Wrong(
        ["d.csv", "column 'A' is in uM", "nanomole per litre", "a factor of 0.001", "(scale ="],
        {
            "nano.ant": "unit substance = 1e-9 mole; unit extent = 1e-9 mole; unit volume = litre;"
            " compartment c = 1; species A in c; A = 9; d = 1; A -> ; c*d*A;",
            "d.csv": "time,A [uM]\n0,1\n",
        },
        first=("nano.ant", "d.csv", "--free", "d"),
    ),
    "molar column": table("time,A [nM]\n0,1\n", "'A' is in nM", "counted in molecules"),
    # Cells.
    "negative time": table("time,A\n-1,2\n", "row 2, column A ('time')", "-1"),
    "infinite time": table("time,A\ninf,2\n", "row 2, column A ('time')", "'inf'"),
    "text in a cell": table("time,A\n0,1\n1,many\n", "row 3, column B ('A')", "'many'"),
    "infinite value": table("time,A\n0,inf\n1,2\n", "row 2, column B ('A')", "'inf'"),
    "all missing": table("time,A\n0,NA\n1,\n", "column B ('A')", "no numeric value"),
    "commas and points": table("time;A\n0;1,5\n1;2.5\n", "row 3, column B ('A')", "in row 2"),
    "below detection": table("time,A\n0,<5\n1,7\n", "row 2, column B ('A')", "--below-detection"),
    "half of a negative mark": table(
        "time,A\n0,<-5\n1,7\n",
        "row 2, column B ('A')",
        "half of a negative limit",
        "--below-detection limit or drop",
        extra=("--below-detection", "half"),
    ),
    "half of a negative limit": Wrong(
        ["--lower-limit -5", "--below-detection half", "half of a negative limit"],
        extra=("--below-detection", "half", "--lower-limit", "-5"),
    ),
    "replicate twice": table(
        "time,observable,value,replicate\n0,A,1,r\n0,A,2,r\n", "row 3", "in row 2"
    ),
    # Workbooks.
    "unknown sheet": book({"P": [["time", "A"], [0, 1]]}, "'Q'", "'P'", extra=("--sheet", "Q")),
    "several sheets": book(
        {"P": [["time", "A"], [0, 1]], "Q": [["time", "A"], [0, 1]]}, "'P', 'Q'", "--sheet"
    ),
    "merged header": book(
        {"P": [["time", "A", None], [None, "a", "b"], [0, 1, 2]]},
        "sheet 'P'",
        "row 2, column C",
        "merged header cells",
    ),
    "text in a workbook": book({"P": [["time", "A"], [0, "x"]]}, "sheet 'P'", "row 2, column B"),
    # Snapshots.
    "negative count": table(
        "time,A\n0,-1\n", "row 2, column B ('A')", "-1", extra=("--snapshots",)
    ),
    "fraction of a count": table(
        "time,A\n0,2\n0,1.5\n", "row 3, column B ('A')", "whole number", extra=("--snapshots",)
    ),
    "cells of another species": table("time,Q\n0,1\n", "column 'Q'", extra=("--snapshots",)),
    # Parameters, bounds, starts.
    "unknown parameter": options(free="k9", said=["'k9'", "k, d"]),
    "parameter of a rule": options(free="half", said=["'half'", "k, d"]),
    "parameter that another follows": options(free="other", said=["'twice'", "uses other"]),
    "parameter of value zero": options(free="zero", said=["'zero' starts at 0", "--start zero="]),
    "bounds upside down": options("--bounds", "k=1:0.1", said=["'k' has bounds (1.0, 0.1)"]),
    "bound of zero": options("--bounds", "k=0:1", said=["'k' has bounds (0.0, 1.0)"]),
    "bounds in words": options("--bounds", "k=low:high", said=["LOW:HIGH"]),
    "start outside": options("--bounds", "k=1:2", said=["'k' starts at 0.5, outside"]),
    "start in words": options("--start", "k=half", said=["--start k=half", "not a number"]),
    "start with a low line": options("--start", "k=0_5", said=["--start k=0_5", "not a number"]),
    "bounds with a low line": options("--bounds", "k=0_5:1", said=["0_5:1", "LOW:HIGH"]),
    "free twice": options(free="k,d,k", said=["'k' named twice"]),
    "start of nothing": options("--start", "q=1", said=["'q'", "k, d"]),
    # Mapping files.
    "no mapping file": Wrong(
        ["no.tsv", "no such file"], first=("m.ant", "d.csv", "--mapping", "no.tsv")
    ),
    "unknown key": mapping(
        "observableId\tformla\tnoiseFormula\nA\tA\t1\n", "map.tsv", "row 2, column B", "'formula'"
    ),
    "formula of nothing": mapping(
        "observableId\tformula\tnoiseFormula\nA\tQ*A\t1\n", "map.tsv uses Q", "--start Q="
    ),
    "formula cut off": mapping(
        "observableId\tformula\tnoiseFormula\nA\t2*\t1\n", "map.tsv", "row 2, column B", "'2*'"
    ),
    "negative noise": mapping(NOISE + "A\t-1\n", "map.tsv", "row 2, column B", "-1", "positive"),
    "negative noise parameter": mapping(
        NOISE + "A\tsd\n", "'A'", "'sd', which is -1", extra=("--start", "sd=-1")
    ),
    "unknown noise": mapping(
        "observableId\tnoiseDistribution\nA\tgauss\n", "row 2, column B", "'gauss'", "normal"
    ),
    "fractions as counts": mapping(
        "observableId\tnoiseDistribution\nA\tpoisson\n",
        "'A'",
        "poisson",
        "5.5",
        data="time,A\n0,5.5\n",
    ),
    "unknown column": mapping(
        "observableId\tnoiseFormula\tcolumn\nA\t1\tQ\n", "map.tsv", "column 'Q'"
    ),
    "condition that is not there": mapping(
        NOISE + "A\t1\n\nconditionId\tk\nlow\t2\n", "d.csv", "'low'", "without a condition"
    ),
    "condition of nothing": mapping(
        NOISE + "A\t1\n\nconditionId\tq\nlow\t2\n",
        "row 5, column B ('q')",
        "which model '__main' has not",
        data="time,A,condition\n0,5,low\n",
    ),
    "condition of a rule": condition_of("half", "assignment rule"),
    "condition of a reaction": condition_of("J", "no parameter, species or compartment"),
    "negative count under a condition": mapping(
        NOISE + "A\t1\n\nconditionId\tA\nlow\t-5\n",
        "map.tsv, row 5",
        "condition 'low', which sets A = -5",
        "negative_initial_count",
        data=UNDER_LOW,
    ),
    "fraction of a count under a condition": mapping(
        "[[observables]]\nobservableId = 'A'\nnoiseFormula = 1\n"
        "[[conditions]]\nconditionId = 'low'\nvalues = {A = 5.5}\n",
        "m.toml, entry 1 of conditions ('low')",
        "condition 'low', which sets A = 5.5",
        data=UNDER_LOW,
        name="m.toml",
    ),
    "free parameter that every condition sets": mapping(
        NOISE + "A\t1\n\nconditionId\tk\nlow\t2\n",
        "cannot act",
        "'k': every condition with measurements sets it ('low')",
        data=UNDER_LOW,
    ),
    "free parameter of nothing": Wrong(
        ["cannot act", "'idle': nothing that was measured depends on it"],
        {"m.ant": MODEL + "idle = 1;"},
        first=("m.ant", "d.csv", "--free", "k,idle"),
    ),
    "observable of nothing": mapping(
        "observableId\tnoiseFormula\tscale\nA\t1\t0\n", "observables: 'A'", "'k', 'd'"
    ),
    "text in a column": mapping(
        NOISE + "A\t1\n",
        "column C ('notes')",
        "name the column 'notes' under 'column' in map.tsv",
        data="time,A,notes\n0,5,good\n",
    ),
    "column left out that is not there": mapping(
        "observableId\tnoiseFormula\tcolumn\nA\t1\tA\n\t\tnote\n",
        "map.tsv leaves out 'note'",
        "'notes'",
        data="time,A,notes\n0,5,good\n",
    ),
    "columns said twice": mapping(
        NOISE + "A\t1\n", "leave out --map", "'column' in map.tsv", extra=("--map", "A=A")
    ),
    "more than all trials": mapping(
        "observableId\tnoiseDistribution\tnoiseFormula\nA\tbinomial\t50\n",
        "'A'",
        "number of trials, 50: 100 at time 0, 60 at time 1",
    ),
    "fraction of a trial": mapping(
        "observableId\tnoiseDistribution\tnoiseFormula\nA\tbinomial\tn\n",
        "'A'",
        "'n', which is 200.5",
        "whole number",
        extra=("--start", "n=200.5"),
    ),
    # Options as such.
    "unknown engine": options("--engine", "cvode", said=["--engine cvode", "ssa or ode"]),
    "unknown objective": options("--objective", "Mean", said=["--objective Mean", "Moments"]),
    "unknown optimiser": options("--optimizer", "sgdd", said=["--optimizer sgdd", "adam"]),
    "unknown uncertainty": options("--uncertainty", "x", said=["--uncertainty x", "profile"]),
    "uncertainty of no likelihood": Wrong(
        ["--uncertainty profile", "Distribution(", "bootstrap"],
        {"d.csv": "time,A\n1,3\n1,5\n"},
        ("--snapshots", "--uncertainty", "profile"),
    ),
    "uncertainty of too few data": table(
        "time,A\n0,1\n1,3\n", "2 measurements and 2 free", extra=("--uncertainty", "fisher")
    ),
    "workers for nothing": options("--workers", "2", said=["--workers", "bootstrap or profile"]),
    "time that is over": options("--max-seconds", "-3", said=["--max-seconds -3", "above 0"]),
    "fewer at most than at first": options(
        "--most-trajectories", "9", said=["--most-trajectories 9", "--trajectories 256"]
    ),
    "seed below zero": options("--seed", "-4", said=["--seed -4", "whole number from 0"]),
    "unknown level": options("--level", "9.9", said=["level 9 version 9", "3.2"]),
}
