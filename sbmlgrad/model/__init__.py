"""The model layer: networks, expressions, units and structure; no files, no TensorFlow.

Where to look, from the ground up:

- formulas: `expression`, the table of `operators` (`operator_*`, `interval_rules`) and of random
  draws (`distributions`, `random_draws`), `terms`, `traversal`, `derivative`, `formula_extent`;
- the network: `elements`, `network`, `rules`, `structure`, `graphs`, `units`, `provenance`;
  rewritten in molecules: `in_molecules`; that stops on a condition: `stopping`;
- from a kinetic law to propensities: `channels`, by the package `laws`;
- rate equations: `rate_equations`, `rates_of_change`;
- time 0: `initial` (values), `start_state`, and what stands against a start: `readiness` (missing
  or impossible values), `time_zero` (what fails at once), `event_values`;
- what is said about a model: `issues`, `lines`;
- data to compare with: `measurements`, `snapshots` of cells, `dwells` in states, `quantities`, and
  a whole calibration `problem` with its `noise` and `priors`.
"""
