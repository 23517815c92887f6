"""An actor: an institution, a unit, a programme, or a natural person alleged to have taken part."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.core.ids import is_opaque
from app.records.base import Content, Edtf, Name, Piece, Slug, Text, refuse
from app.records.kind import Kind
from app.records.shown import Date, Shown, ShownRecord, says

ActorType = Literal["institution", "foreign-institution", "unit", "programme", "natural-person"]


class Parent(Piece):
    """A superior in the chain of command, and when it was."""

    actor: Slug
    date: Edtf | None = None


class Actor(Content):
    """An institution has a readable id; a natural person an opaque one."""

    kind: Literal["actor"] = "actor"
    id: Slug | None = None
    name: Text
    aliases: Annotated[list[Name], Field(max_length=100)] = Field(default_factory=list)
    type: ActorType
    role: Text | None = None
    parents: Annotated[list[Parent], Field(max_length=100)] = Field(default_factory=list)
    named_in: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    restricted: bool = False

    @model_validator(mode="after")
    def _has_the_right_id(self) -> Self:
        if self.id is not None and is_opaque(self.id) != (self.type == "natural-person"):
            raise refuse(
                "id",
                "the id of a natural person is opaque: leave it out and one is given"
                if self.type == "natural-person"
                else "has the form of an opaque id; institutions have readable ids",
            )
        if self.id is not None and is_opaque(self.id) and not self.id.startswith("act-"):
            raise refuse("id", "an opaque id of an actor begins with act-")
        if self.parents and any(parent.actor == self.id for parent in self.parents):
            raise refuse("parents", "names this very actor")
        return self


class ShownParent(Shown):
    """A superior in the chain of command."""

    actor: str = says("Id of the superior.", "mss")
    date: Date | None = says("When it was the superior.", None)


class ActorShown(ShownRecord):
    """An institution, a unit, a programme or, where a public source names them in that role, an alleged perpetrator."""

    id: str = says("Readable for institutions, opaque for natural persons.", "mss")
    kind: Literal["actor"] = says("Always actor.", "actor")
    name: Text = says(
        "Its name.",
        {"en": "Ministry of State Security (formerly State Security Department)", "ko": "국가보위성"},
    )
    aliases: list[str] = says("Other names and spellings.", ["bowibu", "bowiseong"])
    type: ActorType = says("What it is.", "institution")
    role: Text | None = says(
        "What it does, or is alleged to have done.",
        {
            "en": "Secret police; investigates political cases, runs interrogation centres in border provinces and "
            "political prison camps; designated by the US in July 2016"
        },
    )
    alleged: bool = says(
        "True of every natural person: that they took part is alleged, by the sources named in `named_in`.", False
    )
    parents: list[ShownParent] = says("Its superiors in the chain of command.", [])
    named_in: list[str] = says("Ids of the sources that name a natural person in this role.", [])


KIND = Kind(
    name="actor",
    path="actors",
    title="Actors",
    about="Institutions, units, programmes and alleged perpetrators, with their chain of command.",
    model=Actor,
    shown=ActorShown,
    prefix="act",
    dates=("parents[].date",),
    hidden=frozenset({"slug", "restricted"}),
    references=(("parents[].actor", "actor"), ("named_in", "source"), ("citations[].source", "source")),
    facets={"parent": "parents[].actor", "source": "citations[].source|named_in"},
)
