"""The results of a fit for people: a folder of files, and a page to read.

`folder` writes the files; `page` puts the page together of `words`, `tables` and `figures`, with
`sbmlgrad.pages`; `citations` says what to cite.
"""

from sbmlgrad.fit.report.folder import (
    FILES,
    check_results_folder,
    provenance_json,
    summary,
    write_results,
)
from sbmlgrad.fit.report.page import report_html

__all__ = [
    "FILES",
    "check_results_folder",
    "provenance_json",
    "report_html",
    "summary",
    "write_results",
]
