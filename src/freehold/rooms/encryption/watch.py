"""Encrypted attributes of mapped classes: encrypted when the ORM writes a row, decrypted when it has read one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import attributes

from freehold.errors import InputError
from freehold.rooms.encryption.columns import Sealed
from freehold.rooms.encryption.declare import blind
from freehold.rooms.encryption.header import Place

if TYPE_CHECKING:
    from freehold.rooms.encryption.runtime import Cipher, Target

CIPHER = "freehold_cipher"
"""Where a session's ``info`` holds its cipher."""
CLEAR = "freehold_clear"


def watch(target: Target) -> None:
    """Follow a mapped class, once; a declaration over a table has none.

    Raises
    ------
    DeclarationError
        The class is one of several that share its rows.
    """
    entity: Any = target.declaration.entity
    if isinstance(entity, sa.Table):
        return
    mapper = orm.class_mapper(entity, configure=False)
    if mapper.inherits is not None or mapper.polymorphic_on is not None:
        raise target.declaration.refused("is mapped by inheritance", "Encrypt columns of classes that stand alone.")
    for event, function in (
        ("before_insert", _before_insert),
        ("before_update", _before_update),
        ("after_insert", _after_write),
        ("after_update", _after_write),
        ("load", _load),
        ("refresh", _refresh),
    ):
        if not sa.event.contains(entity, event, function):
            sa.event.listen(entity, event, function)


def _cipher(session: orm.Session | None) -> Cipher | None:
    return session.info.get(CIPHER) if session is not None else None


def _before_insert(mapper: orm.Mapper[Any], connection: sa.Connection, instance: Any) -> None:
    session = orm.object_session(instance)
    cipher = _cipher(session)
    if cipher is None or session is None:
        return
    target = cipher.target(mapper.local_table)  # type: ignore[arg-type]
    for column in mapper.local_table.primary_key:
        _default(instance, target.attributes[column.name], column)
    _seal(cipher, target, session, instance, target.declaration.columns)


def _default(instance: Any, attribute: str, column: Any) -> None:
    """Make a key that its column's default would make a moment later."""
    default = column.default
    if getattr(instance, attribute) is None and default is not None:
        if default.is_callable:
            setattr(instance, attribute, default.arg(None))
        elif default.is_scalar:
            setattr(instance, attribute, default.arg)


def _before_update(mapper: orm.Mapper[Any], connection: sa.Connection, instance: Any) -> None:
    session = orm.object_session(instance)
    cipher = _cipher(session)
    if cipher is None or session is None:
        return
    target = cipher.target(mapper.local_table)  # type: ignore[arg-type]
    state = sa.inspect(instance)
    bound = {*target.declaration.key, target.tenant_column} - {""}
    columns = target.declaration.columns
    if any(state.attrs[target.attributes[name]].history.has_changes() for name in bound):
        # Values are bound to the key, so that a row with a new one has all of them encrypted anew.
        for name in columns:
            getattr(instance, target.attributes[name])
            attributes.flag_modified(instance, target.attributes[name])
    changed = tuple(name for name in columns if target.attributes[name] in state.committed_state)
    _seal(cipher, target, session, instance, changed)


def _seal(cipher: Cipher, target: Target, session: orm.Session, instance: Any, columns: tuple[str, ...]) -> None:
    """Put encrypted values where the statement takes its parameters from, and remember the clear ones."""
    row, held = _row(target, instance), attributes.instance_dict(instance)
    clear: dict[str, Any] = {}
    for column in columns:
        attribute = target.attributes[column]
        value = held.get(attribute)
        if isinstance(value, Sealed):
            raise InputError(
                f"{target.schema}.{target.table}.{column} was given a value that is already encrypted",
                hint="Assign the clear value; the session encrypts it.",
            )
        if column in target.declaration.search:
            found = cipher.hashed(session, target, column, value, target.tenant(row))
            setattr(instance, target.attributes[blind(column)], found)
        if value is not None:
            clear[attribute] = value
    if not clear:
        return
    _remember(session)[attributes.instance_state(instance)] = clear
    for column in columns:
        attribute = target.attributes[column]
        if attribute in clear:
            data = target.type_of(column).encode(clear[attribute])
            held[attribute] = cipher.sealed(session, target, data, target.place(column, row))


def _row(target: Target, instance: Any) -> Mapping[str, Any]:
    names = {*target.declaration.key, target.tenant_column} - {""}
    return {name: getattr(instance, target.attributes[name]) for name in names}


def _remember(session: orm.Session) -> WeakKeyDictionary[Any, dict[str, Any]]:
    found: WeakKeyDictionary[Any, dict[str, Any]] | None = session.info.get(CLEAR)
    if found is None:
        found = session.info[CLEAR] = WeakKeyDictionary()
        # A flush that fails ends in a rollback, and calls no after_insert.
        sa.event.listen(session, "after_soft_rollback", _restore_all)
    return found


def _after_write(mapper: orm.Mapper[Any], connection: sa.Connection, instance: Any) -> None:
    session = orm.object_session(instance)
    if session is not None and CLEAR in session.info:
        _restore(instance, session.info[CLEAR].pop(attributes.instance_state(instance), {}))


def _restore_all(session: orm.Session, previous: Any) -> None:
    remembered = session.info[CLEAR]
    for state in list(remembered):
        _restore(state.obj(), remembered.pop(state, {}))


def _restore(instance: Any, clear: Mapping[str, Any]) -> None:
    if instance is None:
        return
    held = attributes.instance_dict(instance)
    for attribute, value in clear.items():
        if isinstance(held.get(attribute), Sealed):
            held[attribute] = value


def _load(instance: Any, context: Any) -> None:
    # A merge makes these events without a query.
    _open(instance, context.session if context is not None else orm.object_session(instance))


def _refresh(instance: Any, context: Any, names: Any) -> None:
    _load(instance, context)


def _open(instance: Any, session: orm.Session | None) -> None:
    """Decrypt what was read, by the identity under which it was read."""
    cipher = _cipher(session)
    if cipher is None or session is None:
        return
    state = attributes.instance_state(instance)
    target, held = cipher.target(state.mapper.local_table), state.dict  # type: ignore[arg-type]
    place: Place | None = None
    for column in target.declaration.columns:
        attribute = target.attributes[column]
        value = held.get(attribute)
        if type(value) is Sealed:
            place = place or target.place(column, _identity(target, state, session))
            data = cipher.opened(session, value, place._replace(column=column))
            held[attribute] = target.type_of(column).decode(data)


def _identity(target: Target, state: Any, session: orm.Session) -> Mapping[str, Any]:
    names = [column.name for column in state.mapper.primary_key]
    row = dict(zip(names, state.key[1], strict=True))
    if target.tenant_column and target.tenant_column not in row:
        attribute = target.attributes[target.tenant_column]
        row[target.tenant_column] = state.dict.get(attribute, getattr(session, "tenant", None))
    return row
