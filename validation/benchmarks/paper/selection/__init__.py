"""Supplementary figure 2: ways to select a reaction, and what is written."""
