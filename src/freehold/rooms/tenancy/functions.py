"""The functions in the database that verify, sign and keep the context."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, trusted
from freehold.kernel.objects import PUBLIC, Function, Grant, Key, Object, Owner
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill, read_sql

PACKAGE = __package__ or ""
SCHEMA = "freehold"


def context_functions(model: Model) -> Iterator[Object]:
    """Every function of the room, with its owner and who may execute it."""
    for function in (*_readers(model), *_keepers()):
        yield function
        yield Owner(on="function", target=function.name, role=model.role("verifier"), reason=function.reason)
    for name in ("tenant_v1", "actor_v1", "transaction_v1", "context_v1"):
        yield Grant(
            on="function",
            target=(SCHEMA, name, ""),
            grantee=PUBLIC,
            privileges=("EXECUTE",),
            reason="policies call it with the rights of whoever reads; it tells only the caller's own context",
        )


def _readers(model: Model) -> Iterator[Function]:
    verified = Sql(read_sql(PACKAGE, "verified").rstrip())
    tenant_type = trusted(model.tenant_type or "text")
    why = "verifies the signed context of the transaction"
    yield context_function(
        "tenant_v1", fill(PACKAGE, "create_tenant", verified=verified, tenant_type=tenant_type), tenant_type, why
    )
    yield context_function("actor_v1", fill(PACKAGE, "create_actor", verified=verified), "text", why)
    yield context_function("transaction_v1", fill(PACKAGE, "create_transaction", verified=verified), "uuid", why)
    yield context_function("context_v1", fill(PACKAGE, "create_context", verified=verified), "record", why)


def _keepers() -> Iterator[Function]:
    sign = "signs contexts for the administrator's own use and for probes"
    keys = "rotates the keys that contexts are signed with"
    yield context_function("sign_context_v1", fill(PACKAGE, "create_sign_context"), "text", sign, "text")
    yield context_function(
        "issue_context_v1", fill(PACKAGE, "create_issue_context"), "text", sign, "text, text, interval"
    )
    yield context_function("add_context_key_v1", fill(PACKAGE, "create_add_context_key"), "void", keys, "text, bytea")
    yield context_function("retire_context_key_v1", fill(PACKAGE, "create_retire_context_key"), "boolean", keys, "text")
    why = "refuses to move a row to another tenant"
    yield context_function("keep_tenant_v1", fill(PACKAGE, "create_keep_tenant"), "trigger", why, definer=False)


def context_function(
    name: str, definition: Sql, returns: str, reason: str, arguments: str = "", *, definer: bool = True
) -> Function:
    """A function beside the verifier, with its search_path pinned."""
    return Function(
        schema=SCHEMA,
        function=name,
        arguments=arguments,
        definition=definition,
        returns=returns,
        definer=definer,
        settings=PINNED,
        reason=reason,
        after=(Key("schema", (SCHEMA,)),),
    )
