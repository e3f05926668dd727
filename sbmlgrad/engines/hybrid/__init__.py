"""The direct method with a clock: events, explicit time and rate rules."""
