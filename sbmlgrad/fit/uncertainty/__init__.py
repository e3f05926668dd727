"""Uncertainty of fitted values: how far the data and the simulation leave them open.

`run.uncertainty` is the entry; one file each holds a method: `fisher`, `exact_likelihood` (the same
where the likelihood is exact), `bootstrap`, `profile`, `sampling`. They share `fitted` (what they
need of a fit), `sensitivity` (derivatives of predictions), `scoring` (refits) and `result`.
"""
