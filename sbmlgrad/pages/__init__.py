"""Pages for people: well-formed markup, a style, tables, and pictures that follow the page.

Used by the reports of fits and of cross-checks; knows nothing of either.
"""
