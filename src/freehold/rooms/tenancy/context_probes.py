"""Attacks on the context: every way to come by a token that the runtime did not sign for this transaction."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model, Ownership
from freehold.kernel.names import Sql, ddl, trusted
from freehold.kernel.objects import Key
from freehold.kernel.room import Probe, Raises, Returns
from freehold.kernel.template import fill
from freehold.rooms.tenancy.functions import PACKAGE, SCHEMA

FORGED, EXPIRED, REPLAYED, MISSING, DENIED = (Raises(code) for code in ("FH002", "FH003", "FH004", "FH001", "42501"))
SHADOWED = ("text", "uuid", "bytea")
"""Types of the functions' variables whose names PostgreSQL's grammar does not fix."""
NOBODY = ("", "", "")

BIND = trusted("SELECT pg_catalog.set_config('freehold.context', {}, true)")
ISSUED = trusted("freehold.issue_context_v1(%(tenant)s::text, 'prober', '1 minute')")
TOKENS: tuple[tuple[str, Sql, Raises], ...] = (
    ("a tenant's bare name is no context", trusted("%(other)s::text"), FORGED),
    ("an emptied context, as a transaction leaves it behind, shows no row", trusted("''"), MISSING),
    ("a truncated context is refused", ddl('pg_catalog."left"({}, -9)', ISSUED), FORGED),
    (
        "a context whose tenant was exchanged is refused",
        ddl(
            "pg_catalog.regexp_replace({}, '[^|]*$', "
            "pg_catalog.encode(pg_catalog.convert_to(%(other)s::text, 'UTF8'), 'base64'))",
            ISSUED,
        ),
        FORGED,
    ),
    (
        "an expired context is refused",
        trusted("freehold.issue_context_v1(%(tenant)s::text, 'prober', '-1 minute')"),
        EXPIRED,
    ),
)
FORGERIES: tuple[tuple[str, str, Raises], ...] = (
    ("a context signed with a key of the attacker's own is refused", "bind_foreign_signature", FORGED),
    ("a context from the future is refused", "bind_future_context", EXPIRED),
    ("a context of another connection is refused", "bind_other_backend", REPLAYED),
)
RETIRED = (
    "SELECT freehold.add_context_key_v1('probe.retired', pg_catalog.decode(pg_catalog.repeat('5a', 32), 'hex'))",
    ddl("{}", trusted(BIND.format(ISSUED))),
    "SELECT freehold.retire_context_key_v1('probe.retired')",
)
FORBIDDEN: tuple[tuple[str, Sql], ...] = (
    ("read the context's keys", trusted("SELECT key_id FROM freehold.context_key")),
    ("change the context's keys", trusted("UPDATE freehold.context_key SET retired_at = NULL")),
    ("have a context issued", trusted("SELECT freehold.issue_context_v1('a', 'b', '1 minute')")),
    ("have a context signed", trusted("SELECT freehold.sign_context_v1('a')")),
    (
        "add a context key",
        trusted("SELECT freehold.add_context_key_v1('own', pg_catalog.decode(pg_catalog.repeat('00', 32), 'hex'))"),
    ),
    ("retire a context key", trusted("SELECT freehold.retire_context_key_v1('k1')")),
    ("drop a function of the context", trusted("DROP FUNCTION freehold.keep_tenant_v1() CASCADE")),
)


def context_probes(model: Model) -> Iterator[Probe]:
    """Each way once a layer, on the root table where there is one."""
    yield from _tokens(model)
    yield from _shadows(model)
    for what, attack in FORBIDDEN:
        yield Probe(
            promise=f"the application cannot {what}",
            subject=Key("table", (SCHEMA, "context_key")),
            attack=attack,
            expect=DENIED,
            role=model.role("app_a"),
        )


def _shadows(model: Model) -> Iterator[Probe]:
    """A domain in the temporary schema, which everybody may make: where it is taken for the type, its CHECK runs."""
    for kind in SHADOWED:
        yield Probe(
            promise=f"a type {kind} of the application's own is not taken by a function that verifies the context",
            subject=Key("function", (SCHEMA, "context_v1", "")),
            attack=trusted("SELECT c.actor, freehold.actor_v1() FROM freehold.context_v1() AS c"),
            expect=Returns((("prober", "prober"),)),
            role=model.role("app_a"),
            prepare=(
                BIND.format("freehold.issue_context_v1('', 'prober', '1 minute')"),
                ddl("CREATE DOMAIN pg_temp.{0} AS pg_catalog.{0} CHECK (false)", trusted(kind)),
            ),
        )


def _tokens(model: Model) -> Iterator[Probe]:
    for promise, token, expect in TOKENS:
        yield _probe(model, promise, expect, BIND.format(token))
    for promise, name, expect in FORGERIES:
        yield _probe(model, promise, expect, fill(PACKAGE, name))
    yield _probe(model, "a context of a retired key is refused", FORGED, *RETIRED)


def _probe(model: Model, promise: str, expect: Raises, *prepare: str) -> Probe:
    root = next((n for n, found in model.classes.items() if found.ownership is Ownership.ROOT), None)
    attack = trusted("SELECT freehold.actor_v1()")
    statements = prepare
    if root is None:
        # Nothing is owned here, so that no two tenants can be found: any two names do.
        statements = tuple(s.replace("%(tenant)s", "'a'").replace("%(other)s", "'b'") for s in prepare)
        return _of(model, promise, expect, attack, statements, ())
    column = model.classes[root].tenant_column
    attack = ddl("SELECT count(*) FROM (SELECT FROM {} LIMIT 1) AS seen", model.table(*root).sql)
    return _of(model, promise, expect, attack, statements, (*root, column))


def _of(
    model: Model,
    promise: str,
    expect: Raises,
    attack: Sql,
    prepare: tuple[str, ...],
    place: tuple[str, str, str] | tuple[()],
) -> Probe:
    return Probe(
        promise=promise,
        subject=Key("function", (SCHEMA, "tenant_v1", "")),
        attack=attack,
        expect=expect,
        role=model.role("app_a"),
        prepare=prepare,
        rows_in=place,
    )
