"""What every answer has in common. Shown models describe bodies (OpenAPI, contract tests); no read builds one."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.records.base import Text

IsoDay = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Moment = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")]
Span = Annotated[list[IsoDay | None], Field(min_length=2, max_length=2)]


def says(description: str, example: Any, **more: Any) -> Any:
    """Return a required field of a shown model: what it means, and its value in one real record."""
    return Field(description=description, examples=[example], **more)


class Shown(BaseModel):
    """A part of an answer: exactly these fields, all of them present."""

    model_config = ConfigDict(extra="forbid", strict=True, serialize_by_alias=True)


class Date(Shown):
    """An uncertain date as recorded (EDTF, ISO 8601-2), and the days between which it began and ended."""

    edtf: str = says("The date as recorded, in EDTF (ISO 8601-2).", "2004/2011")
    start: Span = says(
        "First and last day on which it may have begun; null where there is no bound.", ["2004-01-01", "2004-12-31"]
    )
    end: Span = says(
        "First and last day on which it may have ended; null where there is no bound.", ["2011-01-01", "2011-12-31"]
    )
    text: Text | None = Field(
        default=None,
        description="The date in words, where the source has words that no EDTF text can carry.",
        examples=[{"en": "winter 2011"}],
    )


class ShownCitation(Shown):
    """Where a fact was seen."""

    symbol: str = says("The document: its UN symbol or title.", "A/HRC/25/63")
    paragraph: str | None = says("The place in it, as that document counts.", "60")
    basis: str | None = says("How the paragraph number is known.", "number printed on the page seen")
    source: str | None = says("Id of the source record of that document.", "src-004")
    supports: str | None = says("The one field that this citation is for; null: the whole record.", "name_ko")


class ShownRecord(Shown):
    """A record as the API answers it. A kind adds `id`, `kind` and its own fields."""

    citations: list[ShownCitation] = says(
        "The documents that this record rests on.",
        [{"symbol": "A/HRC/25/63", "paragraph": "60", "basis": None, "source": "src-004", "supports": None}],
    )
    note: Text | None = says(
        "What a reader has to know of how far this record can be relied on.",
        {"en": "Date not stated in the excerpt; upper bound from the account"},
    )
    owner: str = says("The organisation that holds the record.", "public-record")
    revision: int = says("Counts the forms of this record that this audience was shown, from 1.", 1, ge=1)
    updated: Moment = says("When this audience was first shown this form (UTC).", "2026-11-24T10:31:26.123Z")
