"""Which room a declaration belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.compile import compile_layer
from freehold.kernel.declare import Declarations
from freehold.kernel.model import Model
from freehold.kernel.objects import Schema
from freehold.kernel.room import Phase, Room


@dataclass(frozen=True)
class Place:
    """What a room with several declarations gives them all."""

    name: str


class Cellar(Place):
    """One of them."""


class Attic(Place):
    """Another."""


def _compile(declaration: Place, model: Model) -> Iterator[Schema]:
    yield Schema(schema=f"{type(declaration).__name__.lower()}_{declaration.name}")


ROOM = Room(name="places", phase=Phase.SHAPE, declaration=Place, compile=_compile)


def test_a_room_takes_every_kind_of_its_declaration() -> None:
    layer = Declarations(sa.MetaData(), (Cellar("a"), Attic("b")), "sample")
    made = {item.name[0] for item in compile_layer(layer, (ROOM,)).objects.values()}
    assert made == {"cellar_a", "attic_b"}


def test_what_no_room_takes_is_refused_with_the_names_that_are_taken() -> None:
    layer = Declarations(sa.MetaData(), ("cellar",), "sample")
    with pytest.raises(DeclarationError, match="'cellar'") as caught:
        compile_layer(layer, (ROOM,))
    assert "Attic, Cellar" in caught.value.hint
