"""A place: a facility, a locality, a county, a province or a country."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.records.base import Content, Edtf, Name, OwnSlug, Slug, Text, refuse
from app.records.geometry import Shape
from app.records.kind import Kind
from app.records.shown import Date, ShownRecord, says

PlaceType = Literal[
    "country",
    "province",
    "county",
    "locality",
    "border-zone",
    "restricted-area",
    "sea-area",
    "political-prison-camp",
    "ordinary-prison",
    "suspected-prison",
    "detention-centre",
    "detention-centre-abroad",
    "closed-detention-facility",
    "interrogation-or-holding-facility",
    "holding-centre",
    "waiting-room",
    "labour-training-camp",
    "labour-training-centre",
    "labour-site",
    "security-office",
    "border-guard-base",
    "childrens-institution",
    "execution-site",
    "other",
]


class Place(Content):
    """`date` is when a facility operated; `geometry` is as precise as `precision` says."""

    kind: Literal["place"] = "place"
    id: OwnSlug | None = None
    name: Text
    aliases: Annotated[list[Name], Field(max_length=100)] = Field(default_factory=list)
    type: PlaceType
    parent: Slug | None = None
    province: Name | None = None
    geometry: Shape | None = None
    precision: Name | None = None
    date: Edtf | None = None
    status: Name | None = None
    restricted: bool = False

    @model_validator(mode="after")
    def _is_not_in_itself(self) -> Self:
        if self.parent is not None and self.parent == self.id:
            raise refuse("parent", "a place is not inside itself")
        return self


class PlaceShown(ShownRecord):
    """A facility, locality, county, province or country."""

    id: str = says("Readable and permanent.", "kwanliso-15")
    kind: Literal["place"] = says("Always place.", "place")
    name: Text = says("Its name.", {"en": "Political Prison Camp No. 15, Yodok", "ko": "요덕 정치범수용소"})
    aliases: list[str] = says("Other names and spellings.", ["Kwanliso No. 15"])
    type: PlaceType = says("What it is.", "political-prison-camp")
    parent: str | None = says("Id of the place that it lies in.", "prov-south-hamgyong")
    province: str | None = says("The province as the source writes it, where there is no record of it.", None)
    geometry: Shape | None = says("Where it is.", {"type": "Point", "coordinates": [126.85, 39.67]})
    precision: str | None = says("How precise the geometry is.", "2 decimals (about 1 km)")
    date: Date | None = says(
        "When it operated.",
        {"edtf": "1959~/..", "start": ["1958-01-01", "1960-12-31"], "end": [None, None]},
    )
    status: str | None = says("Whether it operates, as the source says.", "operating (2014)")


KIND = Kind(
    name="place",
    path="places",
    title="Places",
    about="Facilities, localities, counties, provinces and countries; each lies in its parent.",
    model=Place,
    shown=PlaceShown,
    hierarchical=True,
    geometry=True,
    date="date",
    dates=("date",),
    hidden=frozenset({"slug", "restricted"}),
    references=(("parent", "place"), ("citations[].source", "source")),
    facets={"parent": "parent", "source": "citations[].source"},
)
