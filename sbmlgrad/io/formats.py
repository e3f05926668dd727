"""Model files by suffix: load and save dispatch, and the reading of text that is a model itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sbmlgrad.errors import RequestError, UnreadableFileError, UnsupportedModelError, WriteError
from sbmlgrad.io.files import read_bytes, write_atomically
from sbmlgrad.model.issues import EVERY_MODE, Issue, Severity
from sbmlgrad.model.network import ReactionNetwork

SBML_SUFFIXES = (".xml", ".sbml", ".xml.gz", ".sbml.gz")
ANTIMONY_SUFFIXES = (".ant",)
#: Significant digits of numbers in Antimony, as its library writes and reads them.
ANTIMONY_DIGITS = 15

_CHOICES = {
    "substance": (None, "item", "mole"),
    "initial": ("strict", "round", "randomised"),
    "mass_action": ("as_written", "combinatorial"),
}


def load(
    source: str | Path,
    *,
    substance: str | None = None,
    initial: str = "strict",
    mass_action: str = "as_written",
) -> ReactionNetwork:
    """Load a model.

    Args:
        source: path of an SBML (`.xml`, `.sbml`, `.xml.gz`) or Antimony (`.ant`) file, or the text
            itself: text that begins with `<`, has several lines or, without the suffix of a file,
            holds a semicolon or an arrow.
        substance: `"item"` or `"mole"`: what a unit of substance is, over the document's word.
        initial: what becomes of initial counts that are no whole numbers: `"strict"` refuses them
            when the model is simulated, `"round"` rounds to the nearest, `"randomised"` draws the
            whole number above or below with the fraction as probability, per trajectory.
        mass_action: `"as_written"`, or `"combinatorial"` to read `k*A*A` of `2 A -> ...` as
            `k*A*(A-1)/2`.

    Returns:
        The network. What only exact simulation cannot mean does not prevent loading: `check`
        reports it and `simulate` refuses it.

    Raises:
        UnreadableFileError: the file is missing or of no known format.
        UnsupportedModelError: every construct that cannot be loaded, with reason codes.
        RequestError: an option has a value that is not known.
    """
    network, issues = examine(
        source, substance=substance, initial=initial, mass_action=mass_action, thorough=False
    )
    problems = tuple(issue for issue in issues if issue.blocks >= EVERY_MODE)
    if network is None or problems:
        raise UnsupportedModelError(problems or issues, what=f"{_name(source)} cannot be loaded:")
    return network


def examine(
    source: str | Path,
    *,
    substance: str | None = None,
    initial: str = "strict",
    mass_action: str = "as_written",
    thorough: bool = True,
) -> tuple[ReactionNetwork | None, tuple[Issue, ...]]:
    """Read a model without judging it: the network, or None, and every issue found.

    Args:
        source: as for `load`.
        substance: as for `load`.
        initial: as for `load`.
        mass_action: as for `load`.
        thorough: also run libSBML's own validation and report what it finds as warnings.

    Returns:
        The network, None where none can be made of the file, and the issues.

    Raises:
        UnreadableFileError: the file is missing or of no known format.
        RequestError: an option has a value that is not known.
    """
    given = {"substance": substance, "initial": initial, "mass_action": mass_action}
    for option, value in given.items():
        if value not in _CHOICES[option]:
            choices = ", ".join(map(repr, _CHOICES[option]))
            raise RequestError(f"{option}={value!r}: choose one of {choices}")
    data, is_antimony = _read(source)
    if is_antimony:
        from sbmlgrad.io.antimony import antimony_to_sbml

        data, problems = antimony_to_sbml(data)
        if problems:
            return None, problems
    from sbmlgrad.io.sbml.reader import read_sbml, without_lines

    network, issues = read_sbml(
        data,
        name=_name(source),
        folder=None if is_antimony or _is_text(source) else Path(source).parent,
        substance=substance,
        initial=initial,
        mass_action=mass_action,
        thorough=thorough,
    )
    if is_antimony and network is not None:
        return without_lines(network, issues)
    if is_antimony:
        return None, tuple(replace(issue, line=None) for issue in issues)
    return network, issues


def save(
    model: ReactionNetwork,
    path: str | Path,
    *,
    distrib: bool = True,
    level: int | None = None,
    version: int | None = None,
) -> None:
    """Write a model: its original document with its values, history, uncertainty and provenance.

    Args:
        model: a loaded or fitted network.
        path: `.xml`, `.sbml`, either with `.gz`, or `.ant` for Antimony (values to 15 digits only).
        distrib: write the uncertainty of fitted parameters with the package distrib, which takes
            SBML level 3 version 2. Give False for readers that refuse the package; the uncertainty
            is in the notes and the annotation all the same.
        level: level of SBML to convert to; None for the document's own.
        version: its version; None for the latest of that level.

    Raises:
        RequestError: there is no such level and version, or it cannot hold what is asked for.
        UnsupportedModelError: the document is to be converted and is no valid SBML.
        WriteError: the format is not known or cannot say what the model says, the model has no
            document, or the file cannot be written; then nothing is left behind.
    """
    from sbmlgrad.io.sbml.writer import write_sbml

    if not isinstance(model, ReactionNetwork) or not isinstance(path, str | Path):
        raise RequestError(
            f"save({type(model).__name__}, {type(path).__name__}): pass a network, as `load` and "
            "`fit` return them, and a path"
        )
    is_antimony = format_of(path) == "Antimony"
    if is_antimony and (level, version) != (None, None):
        raise RequestError(
            f"save to {path}, level={level}, version={version}: Antimony has no levels; leave them "
            "out, or write a file that ends in .xml"
        )
    distrib = distrib and not is_antimony  # which holds values only
    write_document(write_sbml(model, distrib=distrib, level=level, version=version), path)


def write_document(sbml: bytes, path: str | Path) -> None:
    """Write an SBML document in the format that the suffix of a path names; raises as `save`."""
    write_atomically(Path(path), document_bytes(sbml, path))


def document_bytes(sbml: bytes, path: str | Path) -> bytes:
    """Return an SBML document in the format that a suffix names, not compressed, writing nothing.

    Antimony cannot say everything: an id that is one of its words, such as `gamma`, would be
    changed, and units, annotations, notes and layout are left out; the library that writes it gives
    numbers 15 digits. What would change the network otherwise is refused.

    Args:
        sbml: the document.
        path: only its suffix matters.

    Returns:
        The bytes to write.

    Raises:
        WriteError: the format is not known, or cannot say what the document says.
    """
    if format_of(path) == "SBML":
        return sbml
    from sbmlgrad.io.antimony import antimony_to_sbml, sbml_to_antimony
    from sbmlgrad.io.sbml.losses import refuse_losses
    from sbmlgrad.io.sbml.reader import read_sbml

    text = sbml_to_antimony(sbml).encode()
    again, problems = antimony_to_sbml(text)
    after = None if problems else read_sbml(again)[0]
    refuse_losses(read_sbml(sbml)[0], after, "Antimony", digits=ANTIMONY_DIGITS)
    return text


def format_of(path: str | Path) -> str:
    """Return the format that the suffix of a file to be written names: `"SBML"` or `"Antimony"`.

    Raises:
        WriteError: it names none.
    """
    name = Path(path).name.lower()
    if name.endswith(SBML_SUFFIXES):
        return "SBML"
    if name.endswith(ANTIMONY_SUFFIXES):
        return "Antimony"
    raise WriteError(
        f"{path}: unknown kind of model file; the suffixes written are "
        f"{', '.join(SBML_SUFFIXES)} and .ant"
    )


def read_document(source: str | Path) -> bytes:
    """Return the SBML document of a model as it stands, Antimony translated; judges nothing.

    Use it to convert models that cannot be simulated; `load` is what reads networks.

    Args:
        source: as for `load`.

    Returns:
        The document, decompressed.

    Raises:
        UnreadableFileError: the file is missing or of no known format.
        UnsupportedModelError: Antimony text with mistakes.
    """
    data, is_antimony = _read(source)
    if not is_antimony:
        return data
    from sbmlgrad.io.antimony import antimony_to_sbml

    document, problems = antimony_to_sbml(data)
    if problems:
        raise UnsupportedModelError(problems, what=f"{_name(source)} cannot be read:")
    return document


def _name(source: str | Path) -> str:
    return "the given text" if _is_text(source) else str(source)


def _is_text(source: str | Path) -> bool:
    """Tell whether a source is a model itself: XML, several lines, or one line of Antimony.

    No path without a known suffix can be read, so that a line with a semicolon or an arrow is
    nothing else.
    """
    if not isinstance(source, str):
        return False
    if _looks_like_xml(source) or "\n" in source:
        return True
    is_path = source.lower().endswith((*SBML_SUFFIXES, *ANTIMONY_SUFFIXES))
    return not is_path and any(mark in source for mark in (";", "->", "=>"))


def _looks_like_xml(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def _read(source: str | Path) -> tuple[bytes, bool]:
    """Return the bytes of a model and whether they are Antimony."""
    if not isinstance(source, str | Path):
        raise RequestError(
            f"a model is given as a path or as text, not as {type(source).__name__}; "
            "decode bytes first"
        )
    if _is_text(source):
        text = str(source)
        try:
            return text.encode(), not _looks_like_xml(text)
        except UnicodeEncodeError as error:
            raise UnreadableFileError(
                f"the given text is not Unicode ({error}); decode it as UTF-8"
            ) from error
    path = Path(source)
    name = path.name.lower()
    if not name.endswith((*SBML_SUFFIXES, *ANTIMONY_SUFFIXES)):
        raise UnreadableFileError(
            f"{path}: unknown kind of model file; the suffixes read are "
            f"{', '.join(SBML_SUFFIXES)} and .ant"
        )
    return read_bytes(path), name.endswith(ANTIMONY_SUFFIXES)


def unreadable(error: UnreadableFileError, source: str | Path) -> Issue:
    """Return an unreadable file as the one issue that `check` reports for it.

    Args:
        error: why it cannot be read.
        source: the file, as given to `load`.
    """
    return Issue(
        "unreadable_file",
        Severity.ERROR,
        _name(source),
        None,
        f"{error}.",
        "Give a file that can be read: .xml, .sbml, either with .gz, or .ant.",
        EVERY_MODE,
    )
