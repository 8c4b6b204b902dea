"""What encrypted columns need in the database: tables of wrapped keys, a CHECK a column, indexes for search."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, joined, shortened, trusted
from freehold.kernel.objects import Column, Constraint, Grant, Index, Key, Object, Schema, Table, TableFacts
from freehold.kernel.room import Scope
from freehold.kernel.template import fill
from freehold.rooms.encryption.copies import compile_copies
from freehold.rooms.encryption.declare import Encrypted, blind
from freehold.rooms.encryption.header import MAGIC, SHORTEST

PACKAGE = __package__ or ""
SCHEMA = "freehold"
TENANTS, SHARED = "data_key", "shared_data_key"
COLUMNS = (
    ("key_id", "uuid", True, ""),
    ("purpose", "text", True, ""),
    ("state", "text", True, ""),
    ("provider", "text", True, ""),
    ("provider_key", "text", True, ""),
    ("wrapped", "bytea", False, ""),
    ("created_at", "timestamp with time zone", True, "pg_catalog.clock_timestamp()"),
)
"""Name, type, NOT NULL, default. A destroyed key keeps its row without the wrapped bytes, so that its end is known."""


def compile_encryption(declaration: Encrypted, model: Model) -> Iterator[Object]:
    """The objects of one table's encrypted columns, and the tables of keys that all of them share."""
    if sum(isinstance(item, Encrypted) and item.table == declaration.table for item in model.declarations) > 1:
        raise declaration.refused("is declared as encrypted twice", "Name all its columns in one declaration.")
    yield Schema(schema=SCHEMA, reason="Freehold's own functions and tables")
    yield model.machine_role("rw", "holds the application's rights, granted table by table")
    yield Grant(
        on="schema",
        target=(SCHEMA,),
        grantee=model.role("rw"),
        privileges=("USAGE",),
        reason="the application reads its wrapped keys",
    )
    table = model.table(*declaration.table)
    tenant = key_table(declaration, model) == TENANTS
    yield from _keys(TENANTS if tenant else SHARED, model.tenant_type if tenant else "")
    for column in declaration.columns:
        yield _check(declaration, column)
    for column in declaration.search:
        yield from _search(declaration, column, table.facts.tenant_column)
    yield from compile_copies(declaration, model)


def scope_encryption(declaration: Encrypted, model: Model) -> Iterator[Scope]:
    """A trigger on a table of keys, or one more constraint of it, could change what is kept."""
    yield Scope("trigger", (SCHEMA, key_table(declaration, model)))


def key_table(declaration: Encrypted, model: Model) -> str:
    """The table of the keys that a table's values are encrypted with."""
    return TENANTS if model.table(*declaration.table).facts.tenant_column else SHARED


def _keys(name: str, tenant_type: str) -> Iterator[Object]:
    reason = "data keys, each wrapped by a key that never reaches the server"
    owned = (("tenant_id", tenant_type, True, ""),) if tenant_type else ()
    columns = tuple(
        Column(schema=SCHEMA, table=name, column=column, type=kind, not_null=needed, default=default, reason=reason)
        for column, kind, needed, default in (*owned, *COLUMNS)
    )
    own = [column for column, *_ in owned]
    facts = TableFacts(
        tenant_column="tenant_id" if tenant_type else "", role="state", application=frozenset({"SELECT", "INSERT"})
    )
    yield Table(schema=SCHEMA, table=name, columns=columns, facts=facts, reason=reason)
    primary = (*own, "key_id")
    yield Constraint(
        schema=SCHEMA,
        table=name,
        constraint=f"{name}_pkey",
        type="p",
        definition=ddl("PRIMARY KEY ({})", idents(primary)),
        columns=primary,
        reason=reason,
    )
    yield Constraint(
        schema=SCHEMA,
        table=name,
        constraint=f"{name}_state",
        type="c",
        definition=fill(PACKAGE, "check_state"),
        columns=("state", "purpose", "wrapped"),
        reason="a key is active, retired or destroyed, and only a destroyed one has no wrapped bytes",
    )
    yield Index(
        schema=SCHEMA,
        table=name,
        index=f"{name}_active_ix",
        definition=fill(
            PACKAGE,
            "index_active",
            index=ident(f"{name}_active_ix"),
            table=ident(name),
            columns=idents([*own, "purpose"]),
        ),
        reason="one key of each purpose is active, whoever makes the first at the same time",
    )


def check_name(declaration: Encrypted, column: str) -> str:
    """The name of the CHECK that refuses clear text."""
    return shortened(f"{declaration.table[1]}_{column}_sealed")


def has_header(column: str) -> Sql:
    """The condition of an encrypted value; it says nothing of NULL."""
    return fill(
        PACKAGE,
        "has_header",
        column=ident(column),
        shortest=trusted(str(SHORTEST)),
        length=trusted(str(len(MAGIC))),
        magic=trusted(f"'\\x{MAGIC.hex()}'"),
    )


def _check(declaration: Encrypted, column: str) -> Constraint:
    schema, table = declaration.table
    return Constraint(
        schema=schema,
        table=table,
        constraint=check_name(declaration, column),
        type="c",
        definition=ddl("CHECK ({})", has_header(column)),
        columns=(column,),
        reason="no clear text is stored, whoever writes it",
    )


def search_name(declaration: Encrypted, column: str) -> str:
    """The name of a blind index, or of its unique constraint."""
    return shortened(f"{declaration.table[1]}_{column}_blind_{'key' if declaration.search[column].unique else 'ix'}")


def _search(declaration: Encrypted, column: str, tenant: str) -> Iterator[Object]:
    schema, table = declaration.table
    names = (*([tenant] if tenant else []), blind(column))
    name = search_name(declaration, column)
    if declaration.search[column].unique:
        yield Constraint(
            schema=schema,
            table=table,
            constraint=name,
            type="u",
            definition=ddl("UNIQUE ({})", idents(names)),
            columns=names,
            reason=f"no two rows of a tenant have the same {column}",
        )
        return
    yield Index(
        schema=schema,
        table=table,
        index=name,
        definition=fill(
            PACKAGE,
            "index_blind",
            index=ident(name),
            table=joined((ident(schema), ident(table)), "."),
            columns=idents(names),
        ),
        reason=f"rows are found by {column}",
        after=(Key("table", (schema, table)),),
    )
