"""An import as its organisation is told of it."""

from typing import Any

from app.core.moments import iso
from app.imports.keeping import Row, found_of, stated_of
from app.imports.uploading import BASE, digest_text

FORGOTTEN = "What was kept of it is gone: its file, its report, and what they said."


def shown(row: Row, key: bytes | None, received: int) -> dict[str, Any]:
    """Return an import as JSON; without its key nothing of what it said. `received` are the bytes of the file."""
    stated = stated_of(key, row) if key else None
    found = found_of(key, row) if key else {}
    name, at_work = row["id"], row["phase"] is not None
    foreseen = found.get("foreseen")
    return {
        "id": name,
        "state": row["state"],
        "reason": row["reason"] or (None if key else FORGOTTEN),
        "made": iso(row["made"]),
        "made_by": row["made_by"],
        "changed": iso(row["changed"]),
        "kept_until": iso(row["ends"]) if key else None,
        "file": {
            "name": stated.name if stated else None,
            "size": row["size"],
            "received": row["size"] if row["digest"] else received,
            "digest": digest_text(bytes(row["digest"])) if row["digest"] else None,
        },
        "mapping": {"name": stated.mapping["name"], "version": stated.mapping["version"]} if stated else None,
        "keep_good": stated.keep_good if stated else None,
        "progress": {"phase": row["phase"], "done": row["done"], "total": row["total"]} if at_work else None,
        "rows": found.get("rows"),
        "problems": found.get("problems"),
        "warnings": found.get("warnings"),
        "foreseen": foreseen,
        "to_confirm": to_confirm(found) if row["state"] == "ready" else None,
        "confirmed_by": row["confirmed_by"],
        "result": {one: found[one] for one in ("created", "revised", "unchanged")} if row["state"] == "done" else None,
        "links": links(row, found),
    }


def to_confirm(found: Row) -> dict[str, int]:
    """Return what a steward has to confirm: the views that gain something and are not the owner's own."""
    gains = (found.get("foreseen") or {}).get("gains", ())
    return {one["view"]: one["records"] for one in gains if one["records"] and not one["own"]}


def links(row: Row, found: Row) -> dict[str, str]:
    """Return what can be done with it now, by address."""
    base, names = f"{BASE}/{row['id']}", ["self", "events"]
    if row["state"] == "waiting":
        names.append("file")
    if row["state"] == "ready":
        names.append("confirm")
    if found:
        names += ["report"] + (["sheet"] if found["copy"] else [])
    return {one: base if one == "self" else f"{base}/{one}" for one in names}
