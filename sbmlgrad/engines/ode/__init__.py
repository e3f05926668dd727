"""The deterministic engine: reaction rate equations with events, rate rules and slopes."""
