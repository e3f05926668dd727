"""Files that `sbmlgrad fit` reads without complaint: birth and death, and two replicates of it."""

from __future__ import annotations

from pathlib import Path

MODEL = """
unit substance = item; unit extent = item; compartment cell = 1;
substanceOnly species X in cell; X = 0; a = 2; mu = 0.4;
B: => X; a; D: X => ; mu*X;
"""
DATA = "time,X,X\n1,1.5,1.8\n2,2.7,2.9\n4,4.2,3.9\n8,4.6,4.9\n"


def write_inputs() -> None:
    """Write `m.ant` and `d.csv` into the working directory."""
    Path("m.ant").write_text(MODEL)
    Path("d.csv").write_text(DATA)
