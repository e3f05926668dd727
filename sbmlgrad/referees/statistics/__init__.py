"""Are two ensembles alike, or an ensemble and a known law? Tests, their sizes and their power."""
