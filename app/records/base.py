"""The pieces that every content model is made of: text, dates, ids, citations, and the models they stand in."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.core.ids import is_opaque
from app.vocabulary.edtf import EdtfError, bounds

# Patterns run in pydantic's own engine (linear time, `$` = the very end). The words for each stand in refusal.py.
NO_NUL = r"^[^\x00]*$"
SLUG = r"^[a-z0-9][a-z0-9.-]{0,120}$"
WORD = r"^[a-z0-9][a-z0-9-]{0,60}$"
TAG = r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-[a-z0-9]{5,8}){0,3}$"
TEXT_KEY = r"^([a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-[a-z0-9]{5,8}){0,3}|original|translated_by)$"
AUDIENCE = r"^(public|(partner|mechanism)(:[a-z0-9][a-z0-9-]{0,60})?)$"
OPAQUE = "[0-7][0-9a-hjkmnp-tv-z]{25}$"
URL = r"^[a-z][a-z0-9+.-]*:[^\x00-\x20]+.*$"

StandardOfProof = Literal[
    "not-stated",
    "reasonable-grounds-to-suspect",
    "reasonable-grounds-to-believe",
    "substantial-grounds",
    "balance-of-probabilities",
    "clear-and-convincing",
    "beyond-reasonable-doubt",
]
Verification = Literal["as-reported", "partly-corroborated", "corroborated", "contradicted"]
Basis = Literal["consent", "published"]


def refuse(field: str, reason: str) -> PydanticCustomError:
    """Return an error that names a field of the model it is raised in (`field` may be dotted or empty)."""
    return PydanticCustomError("refused", "{reason}", {"field": field, "reason": reason})


def _text(value: dict[str, str]) -> dict[str, str]:
    if "original" in value or "translated_by" in value:
        original = value.get("original")
        if original is not None and (original not in value or original in ("original", "translated_by")):
            raise refuse("original", "names a language that this text does not have")
        if len(value) == ("original" in value) + ("translated_by" in value):
            raise refuse("", 'has no language: give at least one, as in {"en": "…"}')
    return value


_QUOTED = re.compile(r"""(['"]).*\1""", re.DOTALL)
_DATE_SIGNS = re.compile(r"[0-9XYESTZ?~%/.,:\[\]{} -]*", re.ASCII)


def _edtf(value: str) -> str:
    try:
        bounds(value)
    except EdtfError as error:
        # What was written by mistake in the place of a date may be anything: only the signs of dates are said again.
        reason = error.reason if _DATE_SIGNS.fullmatch(value) else _QUOTED.sub("this", error.reason)
        raise refuse("", f"{reason}; {error.hint}") from None
    return value


Name = Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]
Words = Annotated[str, Field(min_length=1, max_length=20_000, pattern=NO_NUL)]
LongWords = Annotated[str, Field(min_length=1, max_length=200_000, pattern=NO_NUL)]
Word = Annotated[str, Field(pattern=WORD, examples=["coi"])]
Tag = Annotated[str, Field(pattern=TAG, examples=["en"])]
Url = Annotated[str, Field(max_length=2_000, pattern=URL)]
TextKey = Annotated[str, Field(pattern=TEXT_KEY)]
Audience = Annotated[str, Field(pattern=AUDIENCE)]

# A language map; "original" names the language that it was said or written in, "translated_by" who put it in others.
Text = Annotated[dict[TextKey, Words], Field(min_length=1, max_length=20), AfterValidator(_text)]
FullText = Annotated[dict[TextKey, LongWords], Field(min_length=1, max_length=20), AfterValidator(_text)]
TextPerAudience = Annotated[dict[Audience, Text], Field(min_length=1, max_length=50)]
Edtf = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_edtf)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


def _readable(value: str) -> str:
    if is_opaque(value):
        raise refuse("", "has the form of an opaque id; this kind has readable ids")
    return value


Slug = Annotated[str, Field(pattern=SLUG)]  # a reference to a record with a readable id
OwnSlug = Annotated[Slug, AfterValidator(_readable)]
TestimonyId = Annotated[str, Field(pattern="^tst-" + OPAQUE)]
IncidentId = Annotated[str, Field(pattern="^inc-" + OPAQUE)]
PersonId = Annotated[str, Field(pattern="^per-" + OPAQUE)]
AnyId = Slug  # every opaque id is a slug by form


class Piece(BaseModel):
    """A part of a submitted record: closed, typed strictly, never changed, silent about what it refuses."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        serialize_by_alias=True,
        validate_by_name=False,
        validate_by_alias=True,
    )


class Citation(Piece):
    """Where a fact was seen: a document, the place in it, and who saw it where."""

    symbol: Name
    paragraph: Name | None = None
    basis: Name | None = None
    source: Slug | None = None
    supports: Name | None = None
    seen_at: Annotated[str, Field(min_length=1, max_length=2_000, pattern=NO_NUL)] | None = None
    language_seen: Tag | None = None


Citations = Annotated[list[Citation], Field(max_length=500)]


class Content(Piece):
    """What a submitter says of one thing. A kind adds `kind`, `id` and its own fields."""

    slug: Slug | None = None
    citations: Citations = Field(default_factory=list)
    note: Text | None = None

    def content(self) -> dict[str, Any]:
        """Return the record as plain JSON values, every field of the model in it."""
        return self.model_dump(mode="json")
