"""GeoJSON shapes (RFC 7946) as records state them and as answers show them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from app.records.base import Piece, refuse

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
# A tuple checks each place on its own; JSON has lists, so this one type is not strict.
Position = Annotated[tuple[Longitude, Latitude], Strict(False)]


def _closed(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if ring[0] != ring[-1]:
        raise refuse("", "the ring is not closed: its first and last positions must be the same (RFC 7946, 3.1.6)")
    return ring


Ring = Annotated[list[Position], Field(min_length=4, max_length=10_000), AfterValidator(_closed)]


class Point(Piece):
    """One position: longitude, then latitude."""

    type: Literal["Point"]
    coordinates: Position


class MultiPoint(Piece):
    """Several positions."""

    type: Literal["MultiPoint"]
    coordinates: Annotated[list[Position], Field(min_length=1, max_length=10_000)]


class Polygon(Piece):
    """An area: its outer ring, then the rings of its holes."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1, max_length=100)]


Shape = Annotated[Point | Polygon, Field(discriminator="type")]


class GeometryCollection(Piece):
    """Positions and areas together."""

    type: Literal["GeometryCollection"]
    geometries: Annotated[list[Shape], Field(min_length=1, max_length=10_000)]


# What several places make together.
Geometry = Annotated[Point | MultiPoint | Polygon | GeometryCollection, Field(discriminator="type")]
