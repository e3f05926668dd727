"""Public suites of models: cases, judgement, tables."""
