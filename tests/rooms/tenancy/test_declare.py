"""What the declaration refuses, with every problem of a model in one error."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from freehold.errors import (
    Contradiction,
    CrossTenantForeignKey,
    DeclarationError,
    TenantKeyMissing,
    UnclassifiedTable,
    UnknownTable,
)
from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations, Extra
from freehold.kernel.model import Ownership
from freehold.kernel.objects import Policy, RowSecurity, Table, TableFacts, View
from freehold.rooms.tenancy import ROOM, Tenancy, tenant_foreign_key, tenant_unique
from freehold.rooms.tenancy.classify import root_key
from freehold.rooms.tenancy.compile import compile_tenancy

from .layer import Company, layer


def model() -> tuple[sa.MetaData, sa.Table]:
    """Metadata with a root table alone."""
    data = sa.MetaData(schema="app")
    return data, sa.Table("tenant", data, sa.Column("id", sa.Uuid, primary_key=True))


def owned(data: sa.MetaData, name: str, *more: Any) -> sa.Table:
    """A table that a tenant owns, keyed as it should be."""
    return sa.Table(
        name,
        data,
        sa.Column("tenant_id", sa.Uuid, sa.ForeignKey("app.tenant.id"), primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True),
        *more,
    )


def compiled(data: sa.MetaData, *declarations: object) -> Declared:
    """The layer, with this room alone."""
    return compile_layer(Declarations(metadata=data, items=declarations, name="app"), [ROOM])


def test_classes_follow_the_declaration() -> None:
    classes = layer("shop").model.classes
    assert classes[("shop", "company")].ownership is Ownership.ROOT
    assert classes[("shop", "company")].tenant_column == "id"
    assert classes[("shop", "order")].ownership is Ownership.TENANT
    assert classes[("shop", "product")].ownership is Ownership.SHARED
    assert classes[("shop", "setting")].reason == "settings of the operating staff"
    assert layer("shop").model.tenant_type == "UUID"


def test_unclassified_tables_are_all_named() -> None:
    data, root = model()
    sa.Table("stray", data, sa.Column("id", sa.BigInteger, primary_key=True))
    sa.Table("waif", data, sa.Column("id", sa.BigInteger, primary_key=True))
    with pytest.raises(UnclassifiedTable, match=r"app\.stray, app\.waif"):
        compiled(data, Tenancy(root))


def test_every_key_without_the_tenant_is_told_with_the_line_that_is_right() -> None:
    data, root = model()
    sa.Table("loose", data, sa.Column("tenant_id", sa.Uuid), sa.Column("id", sa.BigInteger, primary_key=True))
    note = owned(data, "note", sa.Column("code", sa.Text, unique=True), sa.Column("at", sa.Date))
    sa.Index("note_at", note.c.at, unique=True)
    note.append_constraint(ExcludeConstraint(("at", "=")))
    with pytest.raises(TenantKeyMissing) as caught:
        compiled(data, Tenancy(root))
    assert caught.value.detail.splitlines() == [
        "app.loose: its primary key is (id)",
        "app.loose: tenant_id may be null",
        "app.note: exclusion of (at) spans all tenants",
        "app.note: unique (code) spans all tenants",
        "app.note: unique index note_at spans all tenants",
    ]
    for line in (
        'PrimaryKeyConstraint("tenant_id", "id")',
        'tenant_unique("code")',
        'Index("note_at", "tenant_id", "at", unique=True)',
    ):
        assert line in caught.value.hint


def test_foreign_keys_across_tenants_are_refused() -> None:
    data, root = model()
    owned(data, "customer", tenant_unique("id"))
    tenant = sa.Column("tenant_id", sa.Uuid, primary_key=True)
    sa.Table(
        "sale",
        data,
        tenant,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("customer_id", sa.BigInteger, sa.ForeignKey("app.customer.id")),
    )
    owned(
        data,
        "bill",
        sa.Column("customer_id", sa.BigInteger),
        tenant_foreign_key("customer_id", "app.customer.id", ondelete="SET NULL"),
    )
    owned(
        data,
        "gift",
        sa.Column("customer_id", sa.BigInteger),
        tenant_foreign_key("customer_id", "app.customer.id", onupdate="CASCADE"),
    )
    shared = sa.Table("rank", data, sa.Column("code", sa.Text, primary_key=True), sa.Column("best", sa.BigInteger))
    shared.append_constraint(sa.ForeignKeyConstraint(["best"], ["app.customer.id"]))
    with pytest.raises(CrossTenantForeignKey) as caught:
        compiled(data, Tenancy(root, shared=[shared]))
    assert caught.value.detail.splitlines() == [
        "app.bill: foreign key (tenant_id, customer_id) to app.customer would change the tenant on delete",
        "app.gift: foreign key (tenant_id, customer_id) to app.customer would change the tenant on update",
        "app.rank: foreign key (best) to app.customer from a table that no tenant owns",
        "app.sale: foreign key (customer_id) to app.customer lacks the tenant column",
    ]
    assert 'tenant_foreign_key("customer_id", "app.customer.id")  # app.sale' in caught.value.hint
    assert 'ondelete="SET NULL (customer_id)"' in caught.value.hint


def test_a_foreign_key_that_nulls_its_own_column_alone_is_fine() -> None:
    data, root = model()
    owned(data, "customer")
    key = tenant_foreign_key("customer_id", "app.customer.id", ondelete="SET NULL (customer_id)")
    owned(data, "bill", sa.Column("customer_id", sa.BigInteger), key)
    assert compiled(data, Tenancy(root)).model.classes[("app", "bill")].ownership is Ownership.TENANT


def test_a_tenant_column_of_another_type_is_refused() -> None:
    data, root = model()
    sa.Table("note", data, sa.Column("tenant_id", sa.Text, primary_key=True))
    with pytest.raises(DeclarationError, match=r"differ in type from the root's UUID: app\.note"):
        compiled(data, Tenancy(root))


def test_contradictions() -> None:
    data, root = model()
    note = owned(data, "note")
    with pytest.raises(Contradiction, match=r"Shared tables carry the tenant column tenant_id: app\.note"):
        compiled(data, Tenancy(root, shared=[note]))
    with pytest.raises(Contradiction, match="twice"):
        compiled(data, Tenancy(root, shared=[note], exempt={note: "why not"}))
    with pytest.raises(UnknownTable, match=r"shop\.company"):
        compiled(data, Tenancy(root, shared=[Company]))


def test_roots_and_reasons() -> None:
    data, root = model()
    with pytest.raises(DeclarationError, match=r"exempting app\.tenant"):
        Tenancy(owned(data, "note"), exempt={root: " "})
    with pytest.raises(DeclarationError, match="names the root table"):
        Tenancy(None)
    with pytest.raises(DeclarationError, match="names the root table"):
        Tenancy(root, exempt={"*": "all"})
    with pytest.raises(DeclarationError, match="primary key of one column"):
        root_key(owned(data, "other"))


def test_a_layer_without_tenants_still_has_a_context() -> None:
    data, root = model()
    declared = compiled(data, Tenancy(None, exempt={"*": "one company's own books"}))
    assert declared.model.classes[("app", root.name)].ownership is Ownership.EXEMPT
    assert not list(declared.model.of_kind(RowSecurity))
    assert ("function", ("freehold", "actor_v1", "")) in declared.objects
    assert len(declared.probes) > 10


@pytest.mark.parametrize("view", [View(schema="app", view="v", definition="SELECT 1"), None])
def test_views_with_the_rights_of_their_owner_are_refused(view: View | None) -> None:
    data, root = model()
    stored = View(schema="app", view="m", definition="SELECT 1", options=("security_invoker=true",), materialized=True)
    with pytest.raises(DeclarationError, match="would show rows of every tenant"):
        compiled(data, Tenancy(root), Extra(view or stored))


def test_tables_of_other_rooms_are_guarded_with_their_writers() -> None:
    """A shape room's table counts by its facts; a machine writes through its own policy."""
    model = layer("shop").model
    facts = TableFacts(tenant_column="tenant_id", of=("shop", "order"), role="history", writers=("shop_definer",))
    made = Table(schema="shop", table="order_history", facts=facts)
    found = compile_tenancy(model.declarations[0], model.with_objects([made]))  # type: ignore[arg-type]
    policies = {item.policy: item for item in found if isinstance(item, Policy) and item.table == "order_history"}
    assert set(policies) == {f"freehold_{word}" for word in ("select", "insert", "update", "delete", "writer")}
    assert policies["freehold_writer"].roles == ("shop_definer",)
    assert all(policy.permissive for policy in policies.values())
