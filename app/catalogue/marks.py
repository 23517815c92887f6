"""Marks: where the words of `q` stand in the texts of a page's records, made from what the view is shown of them."""

from collections.abc import Iterable, Sequence

import orjson

from app.catalogue.parameters import MOST_MARKED
from app.search import highlight
from app.search.document import fields_of
from app.search.query import Query


def refused(limit: int) -> str | None:
    """Return why a page of so many records has no highlights, if it has none."""
    return None if limit <= MOST_MARKED else f"With highlights a page has at most {MOST_MARKED} records: lower limit."


def of(query: Query, records: Iterable[tuple[str, bytes]], fields: Sequence[str] | None = None) -> list[bytes]:
    """Return the highlights of records as JSON: for each text with any, its pointer (RFC 6901) and the spans.

    A span is [first, behind]: places of code points, from 0, in the text as it is shown; the last one is not in it.

    Args:
        query: what is looked for.
        records: kind and body, as shown.
        fields: the members that are given of each; None: all.
    """
    found = []
    for kind, body in records:
        record = orjson.loads(body)
        if fields is not None:
            record = {name: record[name] for name in fields if name in record}
        texts = ((text.pointer, highlight.spans(text.text, query)) for text in fields_of(kind, record))
        found.append(orjson.dumps([{"pointer": pointer, "spans": spans} for pointer, spans in texts if spans]))
    return found


def of_list(query: Query, kind: str, bodies: Sequence[bytes], fields: Sequence[str] | None) -> bytes:
    """Return the highlights of the records of a list as a member that ends its JSON: by the records' ids."""
    found = of(query, [(kind, body) for body in bodies], fields)
    ids = [orjson.dumps(orjson.loads(body)["id"]) for body in bodies]
    return b',"highlights":{%s}}' % b",".join([id + b":" + one for id, one in zip(ids, found, strict=True)])
