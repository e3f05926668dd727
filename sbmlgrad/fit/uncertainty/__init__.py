"""Uncertainty of fitted values: how far the data and the simulation leave them open.

`run.uncertainty` is the entry; one file each holds a method: `fisher`, `bootstrap`, `profile`,
`sampling`. They share `fitted` (what they need of a fit), `sensitivity` (derivatives of
predictions), `scoring` (refits) and `result`.
"""
