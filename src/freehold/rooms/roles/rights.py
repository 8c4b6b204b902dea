"""Who may do what: owners, and the rights of the application, of readers and of PUBLIC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freehold.kernel.model import Model
from freehold.kernel.objects import (
    PUBLIC,
    DefaultPrivilege,
    Domain,
    Enum,
    Function,
    Grant,
    Key,
    Object,
    Owner,
    Schema,
    Sequence,
    Table,
    View,
)
from freehold.rooms.roles.cast import logins
from freehold.rooms.roles.declare import Roles

CHANGES = frozenset({"INSERT", "UPDATE", "DELETE"})
OWNED = (Schema, Table, View, Sequence, Enum, Domain, Function)
ADOPTED = "adopted"
OWN_SCHEMA = "freehold"
"""Its owner could drop the context's verifier, so that it stays with whoever installs the layer."""


def owner_objects(model: Model) -> Iterator[Object]:
    """The layer's owner for everything that no room has given an owner of its own."""
    taken = {item.target_key for item in model.of_kind(Owner)}
    for item in model.objects.values():
        if isinstance(item, Table) and item.facts.role == ADOPTED:
            continue  # whoever owns it uses it
        if isinstance(item, OWNED) and item.key not in taken and item.key != Key("schema", (OWN_SCHEMA,)):
            yield Owner(
                on=item.kind,
                target=item.name,
                role=model.role("owner"),
                reason="one role that nobody logs in as owns the layer",
            )


def layer_schemas(model: Model) -> tuple[str, ...]:
    """Every schema that holds something of the layer."""
    names = {item.schema for item in model.objects.values() if isinstance(item, OWNED)}
    return tuple(sorted(names))


def application_privileges(declaration: Roles, table: Table, *, tenants: bool) -> frozenset[str]:
    """What the application may do with a table.

    A partition gives nothing: it is reached through its parent, whose policies then hold. In a layer without tenants
    every table is exempt, and the application's own. An adopted table keeps the rights that it was found with.
    """
    if table.parent or table.facts.role == ADOPTED:
        return frozenset()
    if table.facts.role in {"shared", "exempt"} and tenants:
        read = frozenset({"SELECT"})
        if (table.schema, table.table) in declaration.written:
            return read | CHANGES
        return read if table.facts.role == "shared" else frozenset()
    return table.facts.application


def privileges_of(declaration: Roles, model: Model, purpose: str) -> dict[tuple[str, str], frozenset[str]]:
    """What one of ``rw``, ``ro`` and ``auditor`` may do with each table."""
    found = {t: application_privileges(declaration, t, tenants=bool(model.tenant_type)) for t in model.tables}
    if purpose == "ro":
        found = {t: words & {"SELECT"} for t, words in found.items()}
    if purpose == "auditor":
        found = {t: frozenset({"SELECT"}) for t in model.tables if t.facts.role == "history" and not t.parent}
    return {(t.schema, t.table): words for t, words in found.items() if words}


def readers(declaration: Roles) -> tuple[str, ...]:
    """The purposes of the roles that hold rights on rows."""
    ro = ("ro",) if declaration.read_only else ()
    return ("rw", *ro, *(("auditor",) if declaration.auditor else ()))


def right_objects(declaration: Roles, model: Model) -> Iterator[Object]:
    """Every grant of the room, and the defaults for what is made later."""
    yield from _closed(model)
    yield from _database(declaration, model)
    made = [
        grant for purpose in readers(declaration) for grant in _rows(declaration, model, purpose) if _free(grant, model)
    ]
    yield from made
    for grants in (_refreshers(model) if declaration.jobs else (), _callers(declaration, model)):
        given = list(grants)
        yield from given
        made += given
    yield from _usage([*made, *model.of_kind(Grant)], model)


def _free(grant: Grant, model: Model) -> bool:
    """A room that grants something itself has the last word."""
    return grant.key not in model.objects


def _closed(model: Model) -> Iterator[Object]:
    """PUBLIC has nothing, now and in what the owner makes later; Freehold's own schema belongs to other rooms."""
    reason = "PUBLIC holds no right on the layer"
    yield Grant(on="database", target=(), grantee=PUBLIC, privileges=(), reason=reason)
    for schema in sorted({*layer_schemas(model), "public"} - {OWN_SCHEMA}):
        yield Grant(on="schema", target=(schema,), grantee=PUBLIC, privileges=(), reason=reason)
    for function in model.of_kind(Function):
        closed = Grant(on="function", target=function.name, grantee=PUBLIC, privileges=(), reason=reason)
        if function.schema != OWN_SCHEMA and _free(closed, model):
            yield closed
    yield DefaultPrivilege(role=model.role("owner"), on="FUNCTIONS", reason=reason)


def _database(declaration: Roles, model: Model) -> Iterator[Grant]:
    for login in logins(declaration, model):
        if login.connects:
            yield Grant(
                on="database",
                target=(),
                grantee=model.role(login.purpose),
                privileges=("CONNECT",),
                reason="a login of the layer connects to its database",
            )
    yield Grant(
        on="database",
        target=(),
        grantee=model.role("rw"),
        privileges=("TEMPORARY",),
        reason="COPY goes through a temporary table, so that policies check every row",
    )


def _rows(declaration: Roles, model: Model, purpose: str) -> Iterator[Grant]:
    for table, words in privileges_of(declaration, model, purpose).items():
        yield from _table_grants(declaration, model, table, words, purpose)
    yield from _views(model, purpose)
    if purpose == "rw":
        yield from _sequences(model)


def _table_grants(
    declaration: Roles, model: Model, table: tuple[str, str], words: frozenset[str], purpose: str
) -> Iterator[Grant]:
    narrowed = {w: c for w, c in declaration.column_rights(table, purpose).items() if w in words}
    reason = f"what {purpose} may do with {'.'.join(table)}"
    whole = tuple(sorted(words - set(narrowed)))
    role = model.role(purpose)
    if whole:
        yield Grant(on="table", target=table, grantee=role, privileges=whole, reason=reason)
    columns = sorted({column for given in narrowed.values() for column in given})
    for column in columns:
        held = tuple(sorted(word for word, given in narrowed.items() if column in given))
        yield Grant(on="column", target=(*table, column), grantee=role, privileges=held, reason=reason)


def _views(model: Model, purpose: str) -> Iterator[Grant]:
    """A view that runs with its reader's rights shows nothing more than its tables do."""
    for view in model.of_kind(View):
        if "security_invoker=true" in view.options and purpose != "auditor":
            yield Grant(
                on="table",
                target=view.name,
                grantee=model.role(purpose),
                privileges=("SELECT",),
                reason="the view runs with its reader's rights",
            )


def _sequences(model: Model) -> Iterator[Grant]:
    # A room's own sequence is granted by the room, to whom it is for.
    told = {grant.target for grant in model.of_kind(Grant) if grant.on == "sequence"}
    for sequence in (item for item in model.of_kind(Sequence) if item.name not in told):
        yield Grant(
            on="sequence",
            target=sequence.name,
            grantee=model.role("rw"),
            privileges=("USAGE",),
            reason="inserts draw numbers from it",
        )


def _refreshers(model: Model) -> Iterator[Grant]:
    for function in model.of_kind(Function):
        if function.function.startswith("refresh_") and function.function.endswith("_all_v1"):
            yield Grant(
                on="function",
                target=function.name,
                grantee=model.role("jobs"),
                privileges=("EXECUTE",),
                reason="jobs refresh reports for every tenant",
            )


def _callers(declaration: Roles, model: Model) -> Iterator[Grant]:
    """What rooms let a login of the layer execute."""
    present = {login.purpose for login in logins(declaration, model)}
    for function in model.of_kind(Function):
        for purpose in (purpose for purpose in function.callers if purpose in present):
            yield Grant(
                on="function",
                target=function.name,
                grantee=model.role(purpose),
                privileges=("EXECUTE",),
                reason=function.reason,
            )


def _usage(grants: Iterable[Grant], model: Model) -> Iterator[Grant]:
    """USAGE on each schema in which a role of the room holds a right."""
    ours = {model.role(purpose) for purpose in ("rw", "ro", "auditor", "jobs")}
    held = {
        (grant.target[0], grant.grantee)
        for grant in grants
        if grant.on in {"table", "column", "sequence", "function"} and grant.grantee in ours and grant.privileges
    }
    for schema, role in sorted(held):
        usage = Grant(
            on="schema",
            target=(schema,),
            grantee=role,
            privileges=("USAGE",),
            reason="the role holds rights in the schema",
        )
        if _free(usage, model):
            yield usage
