"""The command line: `app` has the commands, the other modules what each of them does."""

from __future__ import annotations


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from sbmlgrad.cli import app

    app.main()
