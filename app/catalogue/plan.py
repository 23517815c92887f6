"""A plan: what is known of a question before any page of it is read."""

from typing import NamedTuple

from app.catalogue.resolve import Question

LONG = 8_192  # bytes of what is said of a list: what is longer, as many facets are, is remembered by its size


class Plan(NamedTuple):
    """A question worked out in one generation of a view."""

    question: Question
    rows: int
    total: int
    tail: bytes  # `"total"` and `"meta"`, as they end a list
    words: str  # the question

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return len(self.tail) + 4 * len(self.words) + LONG

    def looks_at(self, sort: str, limit: int) -> int:
        """Estimate how many rows a page of it looks at; one more filter costs as much as three rows of an index."""
        scanned = self.question.scanned if sort.endswith("date") else self.rows
        some = min(scanned, scanned * (limit + 1) // max(self.total, 1))
        return (some if len(self.question.form.groups) < 2 else 3 * some) + 4 * limit
