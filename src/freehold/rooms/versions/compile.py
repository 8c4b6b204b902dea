"""The room adds nothing to the database: it only judges what runs it."""

from __future__ import annotations

from freehold.kernel.model import Model
from freehold.kernel.objects import Object
from freehold.rooms.versions.declare import Versions


def compile_versions(declaration: Versions, model: Model) -> tuple[Object, ...]:
    """No object."""
    return ()
