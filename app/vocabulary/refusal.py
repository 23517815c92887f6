"""Refusals: what is wrong with a text that is no EDTF date of our subset, and how to mend it, in plain words.

Only texts that were refused come here: nothing in this file decides what is valid.
"""

import re
from typing import NamedTuple


class _Why(NamedTuple):
    """The first expression found in a text tells why it is refused; {text} stands for the text."""

    expression: re.Pattern[str]
    reason: str
    hint: str


_FORM = "write 2011, 2011-03 or 2011-03-04; or a decade 201X, a season 2011-21, an interval 2004/2011"

# Of the whole text, when it holds a character that no date of the subset has.
_ALPHABET = (
    _Why(
        re.compile(r"[\x00-\x1f\x7f-\x9f]"),
        "{text} holds a control character",
        "leave it out: a date is one line of visible characters",
    ),
    _Why(
        re.compile(r"[^\x00-\x7f]"),
        "{text} holds a character that is not ASCII",
        "write the digits 0 to 9 and a plain hyphen, as in 2011-03-04",
    ),
    _Why(
        re.compile("unknown|open"),
        "{text} is of an older draft of EDTF",
        "write .. on a side of / that is open, and nothing on a side that is unknown: 1999/.. or 1999/",
    ),
    _Why(
        re.compile(r"[0-9-][ux]|[ux][0-9-]|^[ux]+$"),
        "{text} marks a digit that is not specified with a small letter",
        "write a capital X (ISO 8601-2:2019), as in 198X or 2004-XX",
    ),
    _Why(re.compile("[A-WYZa-z]{3}"), "{text} is written in words", _FORM),
    _Why(
        re.compile("[Tt][0-9]|:"),
        "{text} has a time of day, which is not recorded here",
        "write the date alone, as in 2011-03-04, and the time as a note",
    ),
    _Why(re.compile(" "), "{text} holds a space", "leave it out: a date has none, also after a comma"),
    _Why(
        re.compile("[{}]"),
        "{text} is a set of all its dates",
        "make each time a record or an act of its own, or write [2001,2004] for one of them",
    ),
    _Why(re.compile("[0-9]E[0-9]"), "{text} is a year with an exponent", "write a year from 0000 to 9999"),
    _Why(re.compile("[0-9]S[0-9]"), "{text} states significant digits", "write 195X for a decade, 19XX for a century"),
    _Why(re.compile("Y-?[0-9]"), "{text} is a year of more than four digits", "write a year from 0000 to 9999"),
    _Why(re.compile(""), "{text} holds a character that is not of EDTF", _FORM),
)

# Of one date. Whatever reaches this table is made of digits and X ? ~ % / . , [ ] - alone.
_PART = (
    _Why(re.compile("^$"), "a date is missing", "leave out the comma, or write the date that belongs there"),
    _Why(
        re.compile("/"),
        "{text} is an interval inside a set",
        "write a range for once in that span, as in [2004..2011], or the interval alone: 2004/2011",
    ),
    _Why(re.compile(","), "{text} lists dates outside a set", "write [2001,2004] for one of them"),
    _Why(re.compile(r"[\[\]]"), "{text} has a bracket inside a set", "write one pair around all: [2001,2004..2006]"),
    _Why(
        re.compile(r"\.\."),
        "{text} is a range where a date should stand",
        "write [2004..2011] if it happened once in that span, 2004/2011 if it lasted",
    ),
    _Why(
        re.compile(r"\."),
        "{text} has a dot",
        "write year, month and day with hyphens, as in 2011-03-04, and two dots in a range, as in [1999..2003]",
    ),
    _Why(re.compile("^-"), "{text} is a year before 0000", "write a year from 0000 to 9999"),
    _Why(re.compile("[?~%]{2}"), "{text} has more than one qualifier", "write % for uncertain and approximate"),
    _Why(
        re.compile("[?~%]."),
        "{text} qualifies a part of a date",
        "put ?, ~ or % at the end, where it holds for the whole date",
    ),
    _Why(re.compile("^[0-9]{4}-2[1-4]-"), "{text} has a day within a season", "write the season, as in 2011-21"),
    _Why(
        re.compile("^[0-9]{4}-(2[5-9]|3[0-9]|4[01])[?~%]?$"),
        "{text} is a season, quarter or half-year of a number above 24",
        "write 21 (spring), 22 (summer), 23 (autumn), 24 (winter), or the months as in [2011-01..2011-03]",
    ),
    _Why(
        re.compile("^[0-9]{4}-(00|1[3-9]|20|[4-9][0-9])"),
        "{text} has a month that does not exist",
        "write a month from 01 to 12, or a season from 21 to 24",
    ),
    _Why(
        re.compile("^[0-9]{4}-[0-9]{2}-[0-9]{2}[?~%]?$"),
        "{text} has a day that does not exist",
        "write a day from 01 to 31, or leave the day out",
    ),
    _Why(
        re.compile("X"),
        "{text} has an X where none may stand",
        "X stands for the last one or two digits of a year alone (198X, 19XX), a whole month (2004-XX), "
        "a whole day (2004-05-XX) or both (2004-XX-XX)",
    ),
    _Why(re.compile("^[0-9]{8}$"), "{text} has no hyphens", "write year, month and day as in 2011-03-04"),
    _Why(re.compile("^[0-9]{5}"), "{text} is a year of more than four digits", "write a year from 0000 to 9999"),
    _Why(
        re.compile("^[0-9]{1,3}([^0-9]|$)"),
        "{text} has a year of fewer than four digits",
        "write four, the year first, as in 2011-03-04 or 0987",
    ),
    _Why(re.compile("-[0-9]([^0-9]|$)"), "{text} has a month or day of one digit", "write two, as in 2011-03-04"),
    _Why(re.compile(""), "{text} is no date", _FORM),
)


def why_alphabet(text: str) -> tuple[str, str]:
    """Return reason and hint for a text with a character that no date of the subset has."""
    return _first(_ALPHABET, text)


def why_part(part: str) -> tuple[str, str]:
    """Return reason and hint for what stands where one date should stand."""
    return _first(_PART, part)


def why_set(text: str) -> tuple[str, str]:
    """Return reason and hint for brackets that make no set."""
    if "/" in text and (text[0] != "[" or text[-1] != "]"):
        return f"'{text}' has a set as a side of an interval", "write a single date on each side, as in 2004/2011"
    if text[0] != "[" or text[-1] != "]":
        return f"'{text}' has a bracket without its pair", "write a set as [2001,2004] or [1999..2003]"
    if text in ("[]", "[..]"):
        return f"'{text}' says nothing", "write the dates it may have been, or leave the date out"
    return f"'{text}' is a set of one date", f"write {text[1:-1]}"


def _first(table: tuple[_Why, ...], text: str) -> tuple[str, str]:
    # ascii(): what was sent is quoted harmlessly, whatever it holds; the length is limited before.
    why = next(why for why in table if why.expression.search(text))
    return why.reason.replace("{text}", ascii(text)), why.hint
