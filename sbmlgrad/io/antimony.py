"""Antimony text ↔ SBML, through the antimony library."""

from __future__ import annotations

from sbmlgrad.errors import WriteError
from sbmlgrad.model.issues import EVERY_MODE, Issue, Severity

#: Deepest nesting of brackets, and longest run of signs, as formulas of SBML may have.
DEEPEST_NESTING = 95


def antimony_to_sbml(data: bytes) -> tuple[bytes, tuple[Issue, ...]]:
    """Translate Antimony text to SBML.

    Args:
        data: the text, UTF-8.

    Returns:
        The SBML document, and the issues that prevented the translation (then it is empty).
    """
    import antimony

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return b"", (_issue(f"the text is not UTF-8: {error}.", "Save it as UTF-8."),)
    if "\0" in text:
        # The library would stop reading there without a word.
        return b"", (_issue("the text holds a zero byte.", "Save it as plain text."),)
    depth = _nesting(text)
    if depth > DEEPEST_NESTING:
        # The library's parser would run out of stack, and the process with it.
        words = f"the text is nested {depth} deep; the limit is {DEEPEST_NESTING}."
        return b"", (_issue(words, "Nest formulas less."),)
    # The library keeps every loaded model; start clean so that names cannot clash.
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) == -1:
        return b"", (_issue(str(antimony.getLastError()).strip(), "Correct the Antimony text."),)
    sbml = antimony.getSBMLString(antimony.getMainModuleName())
    antimony.clearPreviousLoads()
    return str(sbml).encode(), ()


def _nesting(text: str) -> int:
    """Return how deep brackets, signs before an operand and powers of powers nest."""
    deepest = brackets = signs = 0
    after_operand = False
    for character in text:
        if character in "([{":
            brackets += 1
            after_operand = False
        elif character in ")]}":
            brackets = max(brackets - 1, 0)
            after_operand = True
        elif character in "-+!^":
            is_binary = after_operand and character != "^"
            signs = 0 if is_binary else signs + 1
            after_operand = False
        elif character.isalnum() or character in "_.":
            after_operand = True
        elif character == "\n" or not character.isspace():
            signs = 0
            after_operand = False
        deepest = max(deepest, brackets + signs)
    return deepest


def sbml_to_antimony(data: bytes) -> str:
    """Translate an SBML document to Antimony text.

    What Antimony cannot say is left out or changed without a word; `formats.document_bytes` finds
    that out. Numbers have 15 digits.

    Args:
        data: the document, UTF-8.

    Returns:
        The text.

    Raises:
        WriteError: the library refuses the document.
    """
    import antimony

    antimony.clearPreviousLoads()
    if antimony.loadSBMLString(data.decode("utf-8-sig")) == -1:
        reason = str(antimony.getLastError()).strip()
        raise WriteError(
            f"this model cannot be written as Antimony: {reason.rstrip('.')}; write it as SBML"
        )
    text = antimony.getAntimonyString(antimony.getMainModuleName())
    antimony.clearPreviousLoads()
    return str(text)


def _issue(message: str, advice: str) -> Issue:
    return Issue(
        "broken_antimony", Severity.ERROR, "Antimony text", None, message, advice, EVERY_MODE
    )
