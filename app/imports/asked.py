"""What is sent to make an import, and to confirm one: read, and refused with the nearest thing that is known."""

from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.access.bodies import wrong
from app.core.problems import Problem, invalid, nearest
from app.exchange.mapping import READY, Mapping, MappingError, parse, reasons
from app.exchange.sources import KNOWN

FORMS = (".csv", ".tsv", ".txt", ".xlsx", ".json", ".ndjson", ".jsonl", ".zip")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class NewFile(_Model):
    """The file that will be handed in."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            pattern=r"^[^/\\\x00-\x1f]+$",
            description=f"Its ending says what it is: {KNOWN}.",
            examples=["cases.csv"],
        ),
    ]
    size: Annotated[int | None, Field(ge=0, description="Its bytes, where they are known.", examples=[48213])] = None


class NewImport(_Model):
    """An import to be made."""

    file: NewFile
    mapping: Annotated[
        str | dict[str, Any],
        Field(description="The name of a ready mapping, the text of one (YAML), or one as JSON.", examples=["acled"]),
    ]
    keep_good: Annotated[bool, Field(description="Apply right rows even if others are wrong.")] = False


class Confirmation(_Model):
    """What views gain, as a steward confirms it."""

    gains: Annotated[
        dict[str, Annotated[int, Field(ge=0)]],
        Field(
            max_length=64,
            description="Each view of `to_confirm` with its very number; of a view that gains nothing none is needed.",
            examples=[{"public": 120, "partner": 300}],
        ),
    ]


def form_of(name: str) -> str:
    """Return the ending of a file's name.

    Raises:
        Problem: invalid-request, where it is none that is read.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending not in FORMS:
        hint = nearest(ending, FORMS)
        raise invalid([wrong(["file", "name"], f"It has to end with {KNOWN}. {hint}".rstrip())])
    return ending


def mapping_of(given: str | dict[str, Any]) -> Mapping:
    """Return a mapping that was named or sent.

    Raises:
        Problem: invalid-request, with every reason why it cannot be used.
    """
    try:
        if isinstance(given, dict):
            return Mapping.model_validate(given)
        ready = {path.stem: path for path in READY.glob("*.yaml")}
        if given in ready:
            return parse(ready[given].read_bytes())
        if "\n" not in given.strip():
            hint = nearest(given, ready) or f"Ready ones are {', '.join(sorted(ready))}."
            raise invalid([wrong(["mapping"], f"There is no ready mapping of this name. {hint}")])
        return parse(given.encode())
    except (MappingError, ValidationError) as error:
        said = str(error).split("\n") if isinstance(error, MappingError) else reasons(error)
        raise _unusable(said) from None


def _unusable(said: list[str]) -> Problem:
    return invalid([wrong(["mapping"], one) for one in said[:20]])
