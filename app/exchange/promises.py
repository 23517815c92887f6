"""What a mapping may not promise: consent wider than `none` is stated by each row, with its day and its form."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.records.consent import SCALES

if TYPE_CHECKING:
    from app.exchange.mapping import Value

OF_THE_ROW = "comes from a column of the row: a mapping may set consent to none and to nothing wider"
WITH_CONSENT = ("consent.obtained_on", "consent.form")


def against_consent(fields: Mapping[str, "Value"]) -> tuple[str, str] | None:
    """Return the first field by which a rule would promise in the name of its rows, and why it may not; or nothing."""
    for path, value in fields.items():
        if path.startswith("consent.") and (reason := _widens(path, value)) is not None:
            return path, reason
    wide = [one for one in fields if one.startswith("consent.audiences.") and fields[one].constant is None]
    if wide:
        for path in WITH_CONSENT:
            if path not in fields or not _is_stated(fields[path]):
                return path, f"must come from a column of the row, for {wide[0]} does"
    if (basis := fields.get("disclosure_basis")) is not None:
        stated = [basis.constant, basis.default]
        cites = any(one.startswith("citations[") and one.endswith("].symbol") for one in fields)
        if "published" in stated and not cites:
            return "disclosure_basis", "is published: name in citations[].symbol what published it"
    return None


def _is_stated(value: "Value") -> bool:
    return value.constant is None and value.default is None


def _widens(path: str, value: "Value") -> str | None:
    fixed = [value.default] if value.default is not None else []
    if value.constant is not None:
        fixed += [value.constant] if isinstance(value.constant, str) else value.constant
    if not fixed:
        return None
    last = path.rpartition(".")[2]
    if path.startswith("consent.audiences."):
        narrow = {"conditions"} if last == "conditions" else {SCALES[last][0]} if last in SCALES else set()
        if last == "conditions" or set(fixed) <= narrow:
            return None
        return OF_THE_ROW
    if path in ("consent.recontact", "consent.linkage"):
        return None if set(fixed) <= {"false", "no"} else OF_THE_ROW
    return None  # a day, a form or a language alone allows nothing


def missing(record: Mapping[str, object]) -> bool:
    """Tell whether a record made from a row allows something and lacks the day or the form of the consent."""
    consent = record.get("consent")
    if not isinstance(consent, dict):
        return False
    audiences = consent.get("audiences") or {}
    wide = any(isinstance(one, dict) and one.get("content", "none") != "none" for one in audiences.values())
    return wide and not (consent.get("obtained_on") and consent.get("form"))
