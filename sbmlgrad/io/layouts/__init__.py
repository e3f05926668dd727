"""Layouts of instruments: how a plate reader writes its export; one file each.

To add one, write a module with a `Layout` and name it in `layouts.table`.
"""
