"""Comparing: what two OpenAPI descriptions of one API have apart, and which of it breaks a client of the older one."""

from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")


class Difference(NamedTuple):
    """One difference: where, what, and whether a client of the older description may fail by it."""

    where: str
    what: str
    breaks: bool


def compare(old: Json, new: Json) -> list[Difference]:
    """Return all that differs, in the order of the addresses. Names of components mean nothing: what they hold does."""
    return list(dict.fromkeys(_Pair(old, new).differences()))


def as_text(differences: list[Difference]) -> str:
    """Return the differences as Markdown."""
    parts = []
    for title, breaks in (("Breaking", True), ("Compatible", False)):
        lines = [f"- `{one.where}`: {one.what}" for one in differences if one.breaks == breaks]
        parts.append(f"### {title}\n\n" + "\n".join(lines or ["Nothing."]) + "\n")
    return "\n".join(parts)


class _Pair:
    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str, bool]] = set()

    def differences(self) -> Iterator[Difference]:
        before, after = _operations(self._old), _operations(self._new)
        for name in sorted(before.keys() | after.keys()):
            if name not in after:
                yield Difference(name, "is gone", True)
            elif name not in before:
                yield Difference(name, "is new", False)
            else:
                yield from self._operation(name, before[name], after[name])

    def _operation(self, where: str, old: Json, new: Json) -> Iterator[Difference]:
        if new.get("deprecated") and not old.get("deprecated"):
            yield Difference(where, "is deprecated", False)
        yield from self._parameters(where, old, new)
        for media_type, schema, other in self._bodies(old.get("requestBody"), new.get("requestBody")):
            yield from self._media(f"{where} body", media_type, schema, other, True)
        if not old.get("requestBody", {}).get("required") and new.get("requestBody", {}).get("required"):
            yield Difference(where, "the body is required now", True)
        for status in sorted(one for one in old["responses"] | new["responses"] if one.startswith("2")):
            here = f"{where} {status}"
            if status not in new["responses"]:
                yield Difference(here, "is gone", True)
            elif status not in old["responses"]:
                yield Difference(here, "is new", False)
            else:
                for media_type, schema, other in self._bodies(old["responses"][status], new["responses"][status]):
                    yield from self._media(here, media_type, schema, other, False)

    def _parameters(self, where: str, old: Json, new: Json) -> Iterator[Difference]:
        before, after = self._named(self._old, old), self._named(self._new, new)
        for key in sorted(before.keys() | after.keys()):
            here = f"{where} {key}"
            if key not in after:
                yield Difference(here, "is gone", True)
            elif key not in before:
                needed = bool(after[key].get("required"))
                yield Difference(here, "is new and required" if needed else "is new", needed)
            else:
                if after[key].get("required") and not before[key].get("required"):
                    yield Difference(here, "is required now", True)
                if after[key].get("deprecated") and not before[key].get("deprecated"):
                    yield Difference(here, "is deprecated", False)
                yield from self._schema(here, before[key]["schema"], after[key]["schema"], True)

    def _named(self, document: Json, operation: Json) -> dict[str, Json]:
        whole = [_resolved(document, one) for one in operation.get("parameters", ())]
        return {f"{one['in']} {one['name']}": one for one in whole}

    def _bodies(self, old: Json | None, new: Json | None) -> Iterator[tuple[str, Any, Any]]:
        before = _resolved(self._old, old or {}).get("content", {})
        after = _resolved(self._new, new or {}).get("content", {})
        for media_type in sorted(before.keys() | after.keys()):
            yield media_type, before.get(media_type, {}).get("schema"), after.get(media_type, {}).get("schema")

    def _media(self, where: str, media_type: str, old: Any, new: Any, sent: bool) -> Iterator[Difference]:
        here = f"{where} {media_type}"
        if new is None or old is None:
            yield Difference(here, "is gone" if new is None else "is new", new is None)
        else:
            yield from self._schema(here, old, new, sent)

    def _schema(self, where: str, old: Json, new: Json, sent: bool) -> Iterator[Difference]:
        """Compare two schemas: what is `sent` may become wider, what is answered narrower."""
        pair = (old.get("$ref", ""), new.get("$ref", ""), sent)
        if all(pair[:2]):
            where = f"{pair[0].rpartition('/')[2]}{' sent' if sent else ''}"  # told once, wherever it stands
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = _resolved(self._old, old), _resolved(self._new, new)
        before, after = self._forms(self._old, old), self._forms(self._new, new)
        kinds, others = [{_kind(one) for one in forms} for forms in (before, after)]
        for kind in sorted(kinds ^ others):
            gone = kind in kinds
            yield Difference(where, f"{'is no more' if gone else 'may be'} {kind}", gone == sent)
        for kind in sorted(kinds & others):
            one = [form for form in before if _kind(form) == kind]
            other = [form for form in after if _kind(form) == kind]
            if len(one) != len(other):
                fewer = len(one) > len(other)
                yield Difference(where, f"has {'fewer' if fewer else 'more'} forms", fewer == sent)
            for form, its in zip(one, other, strict=False):
                yield from self._form(where, form, its, sent)

    def _forms(self, document: Json, schema: Json) -> list[Json]:
        """Return the alternatives of a schema, each with one type."""
        found: list[Json] = []
        alternatives: list[Json] = schema.get("anyOf") or schema.get("oneOf") or [schema]
        for one in alternatives:
            whole = _resolved(document, one)
            types = whole.get("type")
            found += [{**whole, "type": each} for each in types] if isinstance(types, list) else [whole]
        return found

    def _form(self, where: str, old: Json, new: Json, sent: bool) -> Iterator[Difference]:
        yield from _words(where, old, new, sent)
        before, after = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(before.keys() | after.keys()):
            here = f"{where} .{name}"
            if name not in after:
                yield Difference(here, "is gone", True)
            elif name not in before:
                wanted = sent and name in needs
                yield Difference(here, "is new and required" if wanted else "is new", wanted)
            else:
                if (name in needed) != (name in needs):
                    now = name in needs
                    yield Difference(here, "is required now" if now else "may be left out", now == sent)
                yield from self._schema(here, before[name], after[name], sent)
        for member in ("items", "additionalProperties"):
            if isinstance(old.get(member), dict) and isinstance(new.get(member), dict):
                yield from self._schema(where, old[member], new[member], sent)


def _operations(document: Json) -> dict[str, Json]:
    return {
        f"{method.upper()} {path}": operations[method]
        for path, operations in document["paths"].items()
        for method in _METHODS
        if method in operations
    }


def _resolved(document: Json, one: Json) -> Json:
    while "$ref" in one:
        section, name = one["$ref"].removeprefix("#/components/").split("/")
        one = document["components"][section][name]
    return one


def _kind(form: Json) -> str:
    return str(form.get("type", "anything"))


def _words(where: str, old: Json, new: Json, sent: bool) -> Iterator[Difference]:
    """Compare closed lists of words. New words may be answered at any time: docs/versions.md says so."""
    before, after = ([form["const"]] if "const" in form else form.get("enum") for form in (old, new))
    if before is None or after is None:
        if (before is None) != (after is None):
            closed = before is None
            yield Difference(where, "is a closed list now" if closed else "is no closed list any more", closed == sent)
        return
    for word in before:
        if word not in after:
            yield Difference(where, f"`{word}` is gone", True)
    for word in after:
        if word not in before:
            yield Difference(where, f"`{word}` is new", False)
