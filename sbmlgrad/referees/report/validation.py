"""What a cross-check found, as text, as a page, as data and as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sbmlgrad.referees.report.text import comparison_data
from sbmlgrad.referees.statistics.compare import Comparison

#: What no comparison can find, since it is the same on both sides.
READING = (
    "Both sides simulate what sbmlgrad read from the file: a wrong reading of the file shows on "
    "neither. 'sbmlgrad convert MODEL FILE --normalised' writes it out, to be looked at."
)


@dataclass(frozen=True, eq=False)
class ValidationReport:
    """What the referees found.

    Attributes:
        model: id of the network.
        seed: from which the seeds of all runs were derived.
        comparisons: one a referee that gave a result, in the order asked for.
        skipped: referees that are left out, each with why: not installed, constructs that it cannot
            simulate, or is known to mishandle (`sbmlgrad.referees.divergences`).
        failed: referees that were asked and gave no result, each with why: a crash, a time limit.
        left_out: species that are not compared, each with why.
        still: what to do about comparisons in which nothing happened; empty if there are none.
        commands: command lines that repeat the comparisons; empty where `validate` was called from
            Python.
        chosen: the times and why these, where the user named none; else empty.
        unseen: sentences on events and switches of laws that the times do not reach.
    """

    model: str
    seed: int
    comparisons: tuple[Comparison, ...]
    skipped: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    failed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    left_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    still: str = ""
    commands: tuple[str, ...] = ()
    chosen: str = ""
    unseen: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether something happened in every comparison made, and no test disagrees.

        It is about the comparisons made: look at `failed` and `skipped` for those that were not.
        """
        return all(comparison.agrees for comparison in self.comparisons)

    @property
    def disagrees(self) -> bool:
        """Whether a test of any comparison disagrees.

        Neither this nor `agrees` holds where nothing happened.
        """
        return any(comparison.disagrees for comparison in self.comparisons)

    @property
    def headline(self) -> str:
        """The verdict in a few words."""
        if self.disagrees:
            found = "DISAGREEMENT"
        else:
            found = "NOTHING HAPPENED" if self.still else "no disagreement found"
        named = {"no result from": self.failed, "not asked:": self.skipped}
        missing = (f"{what} {', '.join(map(repr, who))}" for what, who in named.items() if who)
        return "; ".join([found, *missing])

    @property
    def still_sentence(self) -> str:
        """What to do about comparisons in which nothing happened, to stand by itself."""
        return f"{self.still[:1].upper()}{self.still[1:]}."

    @property
    def notes(self) -> tuple[str, ...]:
        """What else there is to know, in sentences: who was not asked, what was not compared."""
        asked = [
            f"'{name}' was not asked: {'; '.join(reasons)}"
            for name, reasons in self.skipped.items()
        ]
        why: dict[str, list[str]] = {}
        for species, reason in self.left_out.items():
            why.setdefault(reason, []).append(species)
        kinds = [f"{', '.join(species)} ({reason})" for reason, species in why.items()]
        left_out = [f"Species that are not compared: {'; '.join(kinds)}."] if kinds else []
        return (*asked, *left_out, *self.unseen)

    @property
    def repeating(self) -> tuple[str, ...]:
        """What repeats the comparisons exactly: command lines, or arguments of `validate`."""
        if self.commands:
            return self.commands
        numbers = {c.ours.trajectories for c in self.comparisons}
        # What failed took its share of the error.
        if len(numbers) == 1 and not self.failed:
            return (f"validate(..., trajectories={numbers.pop()}, seed={self.seed})",)
        return tuple(
            f"validate(..., against={c.referee!r}, trajectories={c.ours.trajectories}, "
            f"seed={self.seed}, family_wise_error={c.family_wise_error!r})"
            for c in self.comparisons
        )

    def __str__(self) -> str:
        heads = [f"model '{self.model}': {self.headline} (seed {self.seed})"]
        heads += [f"times: {self.chosen}"] if self.chosen else []
        heads += [self.still_sentence] if self.still else []
        heads += [f"'{name}' failed: {message}" for name, message in self.failed.items()]
        again = "\n".join(["repeat exactly with", *(f"  {line}" for line in self.repeating)])
        texts = [c.as_text() for c in self.comparisons]
        return "\n\n".join([*heads, *self.notes, *texts, again, READING])

    def as_html(self) -> str:
        """Return the report as one page that needs no other file and makes no request."""
        from sbmlgrad.referees.report.page import page

        return page(self)

    def plot(self, path: str | Path) -> list[Path]:
        """Draw mean ± standard deviation of both sides over time, one picture a referee.

        Args:
            path: image file; with several referees their names are put before the suffix.

        Returns:
            The files.

        Raises:
            WriteError: a file cannot be written.
        """
        names = [comparison.referee for comparison in self.comparisons]
        files = [Path(path)] if len(names) == 1 else [_named(Path(path), name) for name in names]
        for file, comparison in zip(files, self.comparisons, strict=True):
            comparison.plot(file)
        return files

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data that JSON can hold."""
        return {
            "model": self.model,
            "seed": self.seed,
            "agrees": self.agrees,
            "disagrees": self.disagrees,
            "nothing_happened": self.still or None,
            "times_chosen": self.chosen or None,
            "comparisons": [comparison_data(c) for c in self.comparisons],
            "skipped": {name: list(reasons) for name, reasons in self.skipped.items()},
            "failed": dict(self.failed),
            "left_out": dict(self.left_out),
            "not_reached": list(self.unseen),
            "repeat_with": list(self.repeating),
        }


def _named(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}_{name}{path.suffix}")
