"""Cells of CSV: a text made safe for spreadsheets in a way that can be undone.

A spreadsheet takes a cell for a formula that begins with one of `= + - @`, TAB, CR (OWASP, CSV Injection), LF, or the
full-width forms of the four signs. Where it separates cells by `;` or TAB, or does not see the quotes, a cell begins
inside a text too. So an apostrophe is put before each such sign at the beginning of a text and after each `;`, TAB, CR
and LF in it, and before an apostrophe that stands there. Whoever takes one apostrophe away at each of these places has
the text as it was: `restored`. A text that is a whole or decimal number stays as it is.
"""

import re

_SIGNS = r"'=+\-@＝＋－＠"  # noqa: RUF001 - the full-width forms are meant
_RISK = re.compile(rf"^(?=[{_SIGNS}\t\r\n])|(?<=[;\t\r\n])(?=[{_SIGNS}])")
_MARK = re.compile(r"^'|(?<=[;\t\r\n])'")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; numbers stay as they are."""
    return text if _NUMBER.fullmatch(text) else _RISK.sub("'", text)


def restored(text: str) -> str:
    """Return the text that `safe` was given."""
    return _MARK.sub("", text)
