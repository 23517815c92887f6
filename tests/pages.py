"""The code that stands on the pages of docs/, for tests that run it."""

import re
from pathlib import Path
from typing import Any

import app

DOCS = Path(app.__file__).parents[1] / "docs"


def page(name: str) -> str:
    """Return the text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str, word: str = "") -> list[str]:
    """Return the blocks of code in a language on a page, those with a word in them."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    return [one for one in found if word in one]


def defined(name: str) -> dict[str, Any]:
    """Return what the Python programs of a page define."""
    found: dict[str, Any] = {}
    for program in blocks(name, "python"):
        exec(compile(program, name, "exec"), found)  # noqa: S102 - our own page
    return found
