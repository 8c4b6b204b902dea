"""The foreign keys around a soft-deleted table, and what a DELETE would lose by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import name_of, seconds_of
from freehold.kernel.model import Model
from freehold.rooms.soft_delete.declare import SoftDelete

Name = tuple[str, str]


@dataclass(frozen=True)
class Link:
    """A foreign key between two tables: pairs of the child's column and the parent's."""

    child: Name
    parent: Name
    pairs: tuple[tuple[str, str], ...]


def declared(model: Model) -> dict[Name, SoftDelete]:
    """Every soft-deleted table of the layer."""
    return {name_of(item.entity): item for item in model.declarations if isinstance(item, SoftDelete)}


def links_to(parent: Name, model: Model) -> tuple[Link, ...]:
    """The foreign keys of soft-deleted tables that refer to this one."""
    return tuple(link for link in _links(model) if link.parent == parent)


def links_from(child: Name, model: Model) -> tuple[Link, ...]:
    """The foreign keys of this table that refer to soft-deleted ones."""
    return tuple(link for link in _links(model) if link.child == child)


def _links(model: Model) -> Iterator[Link]:
    kept = declared(model)
    for table, key in _foreign_keys(model):
        child, parent = name_of(table), name_of(key.referred_table)
        if child in kept and parent in kept:
            yield Link(child, parent, tuple((part.parent.name, part.column.name) for part in key.elements))


def _foreign_keys(model: Model) -> Iterator[tuple[sa.Table, sa.ForeignKeyConstraint]]:
    for table in model.metadata.sorted_tables:
        for key in sorted(table.foreign_key_constraints, key=lambda item: tuple(item.column_keys)):
            yield table, key


def refuse_losses(declaration: SoftDelete, model: Model) -> None:
    """See that no DELETE loses what nobody said may be lost.

    Raises
    ------
    DeclarationError
        A child is deleted or unlinked with its parent and not kept, or is kept for a shorter time than its parent.
    """
    kept, parent = declared(model), name_of(declaration.entity)
    lose, unlink = ({name_of(item) for item in items} for items in (declaration.lose, declaration.unlink))
    for table, key in _foreign_keys(model):
        child, action = name_of(table), (key.ondelete or "").upper()
        if name_of(key.referred_table) != parent:
            continue
        if action == "CASCADE" and child not in kept and child not in lose:
            raise _lost(parent, child)
        if action.startswith("SET ") and child not in unlink:
            raise _unlinked(parent, child, action)
        if child in kept:
            _refuse_shorter(declaration, kept[child])


def _lost(parent: Name, child: Name) -> DeclarationError:
    return DeclarationError(
        f"Deleting a row of {'.'.join(parent)} deletes rows of {'.'.join(child)} for good: ON DELETE CASCADE",
        hint=f"Declare SoftDelete for {child[1]} too, or say lose=[{child[1]}].",
    )


def _unlinked(parent: Name, child: Name, action: str) -> DeclarationError:
    return DeclarationError(
        f"Deleting a row of {'.'.join(parent)} takes the references to it from {'.'.join(child)}: ON DELETE {action}",
        detail="A restore does not bring them back.",
        hint=f"Use ON DELETE CASCADE or NO ACTION, or say unlink=[{child[1]}].",
    )


def _refuse_shorter(parent: SoftDelete, child: SoftDelete) -> None:
    if child.keep is None:
        return
    if parent.keep is None or seconds_of(child.keep) < seconds_of(parent.keep):
        names = ".".join(name_of(child.entity)), ".".join(name_of(parent.entity))
        raise DeclarationError(
            f"Deleted rows of {names[0]} are kept for {child.keep}, those of {names[1]} for {parent.keep or 'ever'}",
            detail="A row restored in between would come back without its children.",
            hint="Keep children at least as long as their parents.",
        )
