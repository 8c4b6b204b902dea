"""What stands beside a clear column while its values are encrypted: a trigger that takes away what is out of date."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import ddl, ident, joined, qualified, shortened
from freehold.kernel.objects import Function, Key, Object, Trigger
from freehold.kernel.template import fill
from freehold.rooms.encryption.declare import Encrypted, blind

PACKAGE = __package__ or ""
REASON = "an application that knows the clear column alone leaves no older encrypted value beside its own"


def compile_copies(declaration: Encrypted, model: Model) -> Iterator[Object]:
    """A function and a trigger for each column that is still written in clear too."""
    schema, table = declaration.table
    tenant = model.table(schema, table).facts.tenant_column
    bound = tuple(dict.fromkeys([*declaration.key, *([tenant] if tenant else [])]))
    moved = joined((ddl("OLD.{0} IS DISTINCT FROM NEW.{0}", ident(name)) for name in bound), " OR ")
    for sealed, clear in declaration.clear.items():
        name = shortened(f"{table}_{sealed}_unseal", 60) + "_v1"
        emptied = [sealed, *([blind(sealed)] if sealed in declaration.search else [])]
        yield Function(
            schema=schema,
            function=name,
            definition=fill(
                PACKAGE,
                "create_unseal",
                function=qualified(schema, name),
                emptied=joined((ddl("NEW.{} := NULL;", ident(column)) for column in emptied), " "),
            ),
            returns="trigger",
            settings=("search_path=pg_catalog, pg_temp",),
            reason=REASON,
            after=(Key("schema", (schema,)),),
        )
        trigger = trigger_name(sealed)
        yield Trigger(
            schema=schema,
            table=table,
            trigger=trigger,
            definition=fill(
                PACKAGE,
                "create_unseal_trigger",
                trigger=ident(trigger),
                table=qualified(schema, table),
                sealed=ident(sealed),
                clear=ident(clear),
                moved=moved,
                function=qualified(schema, name),
            ),
            reason=REASON,
        )


def trigger_name(sealed: str) -> str:
    """Late among the triggers of its table, so that it sees what the others make of the clear value."""
    return shortened(f"zy_freehold_unseal_{sealed}")
