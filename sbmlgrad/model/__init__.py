"""The model layer: networks, expressions, units and structure; no files, no TensorFlow.

Where to look, from the ground up:

- formulas: `expression`, the table of `operators` (`operator_*`, `interval_rules`) and of random
  draws (`distributions`, `random_draws`), `terms`, `collected`, `falling_products`, `traversal`,
  `derivative`, `formula_extent`;
- the network: `elements`, `network`, `rules`, `structure`, `graphs`, `units`, `provenance`;
- from a kinetic law to propensities: `channels` calls `directions`, which asks what is known
  (`known_values`), whether a law is >= 0 (`intervals`, `falling_factorials`, `upper_bounds`) and
  how it is split (`signs`, `one_signed`, `vanishing`); in counts: `falling_in_counts`,
  `mass_action`, `whole_change`;
- rate equations: `rate_equations`, `rates_of_change`;
- time 0: `initial` (values), `start_state`, and what stands against a start: `readiness` (missing
  or impossible values), `time_zero` (what fails at once), `event_values`;
- what is said about a model: `issues`, `lines`;
- data to compare with: `measurements`, `quantities`.
"""
