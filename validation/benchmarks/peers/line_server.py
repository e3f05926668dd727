"""Requests and answers of a worker: one JSON object a line, in and out; needs nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn


def answer_lines(answer: Callable[[dict[str, Any]], Mapping[str, Any]]) -> NoReturn:
    """Answer requests from standard input until it ends, and end the process.

    Args:
        answer: of one request; what it raises is answered with the status `error`.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What libraries print is no answer.
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            told = answer(json.loads(line))
        except Exception as error:
            told = {"status": "error", "message": f"{type(error).__name__}: {error}"[:600]}
        answers.write(json.dumps(told) + "\n")
        answers.flush()
    # Some libraries crash while they are unloaded.
    os._exit(0)
