"""Forbidden acts, tried as the login that must not succeed."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, qualified
from freehold.kernel.objects import Key, Role, Table
from freehold.kernel.room import Probe, Raises
from freehold.rooms.roles.declare import Roles
from freehold.rooms.roles.rights import layer_schemas, privileges_of

DENIED = Raises("42501")
CHANGES = ("SELECT", "INSERT", "UPDATE", "DELETE")


def attack_probes(declaration: Roles, model: Model) -> Iterator[Probe]:
    """Every attack of the room."""
    yield from _on_server(model)
    yield from _on_schemas(model)
    yield from _on_tables(declaration, model, "rw", "app_a")
    if declaration.read_only:
        yield from _on_tables(declaration, model, "ro", "ro")
        yield from _on_columns(declaration, model, "ro", "ro")
    yield from _on_columns(declaration, model, "rw", "app_a")
    yield from _become(model, "app_a")
    if declaration.migrator:
        yield from _become(model, "migrator")


def _on_server(model: Model) -> Iterator[Probe]:
    role = model.role("app_a")
    for act, statement in (
        ("runs no program on the server", ddl("COPY (SELECT 1) TO PROGRAM 'true'")),
        ("reads no file of the server", ddl("SELECT pg_catalog.pg_read_file('PG_VERSION')")),
        ("cannot silence triggers", ddl("SET LOCAL session_replication_role = 'replica'")),
        ("cannot make itself a superuser", ddl("ALTER ROLE {} SUPERUSER", ident(role))),
    ):
        yield Probe(promise=f"{role} {act}", subject=Key("role", (role,)), attack=statement, expect=DENIED, role=role)


def _on_schemas(model: Model) -> Iterator[Probe]:
    role = model.role("app_a")
    for schema in layer_schemas(model):
        yield Probe(
            promise=f"{role} creates nothing in schema {schema}",
            subject=Key("schema", (schema,)),
            attack=ddl("CREATE TABLE {} ()", qualified(schema, "freehold_probe")),
            expect=DENIED,
            role=role,
        )


def _on_tables(declaration: Roles, model: Model, purpose: str, login: str) -> Iterator[Probe]:
    allowed = privileges_of(declaration, model, purpose)
    role = model.role(login)
    for table in model.tables:
        held = allowed.get((table.schema, table.table), frozenset())
        denied = [word for word in CHANGES if word not in held]
        if purpose == "ro":
            denied = denied[:2]
        for act, statement in (*_statements(table, denied), *_ruin(table, purpose)):
            yield Probe(
                promise=f"{role} cannot {act} {table.schema}.{table.table}",
                subject=table.key,
                attack=statement,
                expect=DENIED,
                role=role,
            )


def _statements(table: Table, words: list[str]) -> Iterator[tuple[str, Sql]]:
    """One statement a word; none touches a row even where it is allowed, but its privilege is checked all the same."""
    made = {
        "SELECT": ddl("SELECT FROM {} LIMIT 0", table.sql),
        "INSERT": ddl("INSERT INTO {} SELECT WHERE false", table.sql),
        "DELETE": ddl("DELETE FROM {} WHERE false", table.sql),
    }
    if table.columns:
        made["UPDATE"] = ddl("UPDATE {} SET {} = DEFAULT WHERE false", table.sql, ident(table.columns[0].column))
    return ((word, made[word]) for word in words if word in made)


def _ruin(table: Table, purpose: str) -> Iterator[tuple[str, Sql]]:
    if purpose == "rw":
        yield "TRUNCATE", ddl("TRUNCATE {}", table.sql)
        yield "ALTER", ddl("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", table.sql)


def _on_columns(declaration: Roles, model: Model, purpose: str, login: str) -> Iterator[Probe]:
    role = model.role(login)
    for table in model.tables:
        rights = declaration.column_rights((table.schema, table.table), purpose)
        for word in sorted(set(rights) & {"SELECT", "UPDATE"}):
            for column in (c.column for c in table.columns if c.column not in rights[word]):
                yield Probe(
                    promise=f"{role} cannot {word} column {column} of {table.schema}.{table.table}",
                    subject=Key("column", (table.schema, table.table, column)),
                    attack=_column_statement(table, word, column),
                    expect=DENIED,
                    role=role,
                )


def _column_statement(table: Table, word: str, column: str) -> Sql:
    if word == "SELECT":
        return ddl("SELECT {} FROM {} LIMIT 0", ident(column), table.sql)
    return ddl("UPDATE {} SET {} = DEFAULT WHERE false", table.sql, ident(column))


def _become(model: Model, login: str) -> Iterator[Probe]:
    """SET ROLE asks what the session's login is a member of, so that the session itself changes hands first."""
    name = model.role(login)
    spared = {name, *({model.role("owner")} if login == "migrator" else {model.role("rw")})}
    for role in (r.role for r in model.of_kind(Role) if r.role not in spared):
        yield Probe(
            promise=f"{name} cannot become {role}",
            subject=Key("role", (role,)),
            prepare=(ddl("SET LOCAL SESSION AUTHORIZATION {}", ident(name)),),
            attack=ddl("SET LOCAL ROLE {}", ident(role)),
            expect=DENIED,
        )
