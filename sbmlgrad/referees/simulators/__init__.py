"""Simulators of other projects as referees, each in processes of its own."""
