"""Exact answers as referees: the projected master equation, rate equations where they hold."""
