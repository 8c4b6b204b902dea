"""What would be lost without a word is refused, and names whose rows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations
from freehold.rooms.soft_delete import ROOM, SoftDelete
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy


def family(action: str | None) -> tuple[sa.Table, sa.Table]:
    """A parent and a child that refers to it."""
    data = sa.MetaData(schema="shop")
    parent = sa.Table("parent", data, sa.Column("id", sa.Integer, primary_key=True))
    reference = sa.ForeignKey("shop.parent.id", ondelete=action)
    child = sa.Table("child", data, sa.Column("id", sa.Integer, primary_key=True), sa.Column("of", reference))
    return parent, child


def compiled(*declarations: SoftDelete) -> Declared:
    """A layer without tenants."""
    metadata = declarations[0].entity.metadata
    items = (Tenancy(None, exempt={"*": "one company's own books"}), *declarations)
    return compile_layer(Declarations(metadata=metadata, items=items, name="t"), [ROOM, TENANCY])


def test_a_child_that_would_be_lost_is_named() -> None:
    parent, child = family("CASCADE")
    with pytest.raises(DeclarationError, match=r"shop\.child for good"):
        compiled(SoftDelete(parent))
    compiled(SoftDelete(parent, lose=[child]))
    compiled(SoftDelete(parent), SoftDelete(child))


@pytest.mark.parametrize("action", ["SET NULL", "SET DEFAULT"])
def test_a_reference_that_would_be_lost_is_named(action: str) -> None:
    parent, child = family(action)
    with pytest.raises(DeclarationError, match=r"from shop\.child"):
        compiled(SoftDelete(parent), SoftDelete(child))
    compiled(SoftDelete(parent, unlink=[child]))


def test_children_are_kept_as_long_as_their_parents() -> None:
    parent, child = family("CASCADE")
    for longer in (None, "91 days"):
        with pytest.raises(DeclarationError, match=r"shop\.child are kept for 90 days"):
            compiled(SoftDelete(parent, keep=longer), SoftDelete(child, keep="90 days"))
    compiled(SoftDelete(parent, keep="90 days"), SoftDelete(child, keep="91 days"))


def test_bad_tables_are_refused() -> None:
    with pytest.raises(DeclarationError, match="no primary key"):
        SoftDelete(sa.Table("log", sa.MetaData(), sa.Column("line", sa.Text)))
    columns = (sa.Column("id", sa.Integer, primary_key=True), sa.Column("deleted_at", sa.Date))
    with pytest.raises(DeclarationError, match="for itself: deleted_at"):
        compiled(SoftDelete(sa.Table("t", sa.MetaData(), *columns)))
    with pytest.raises(DeclarationError, match="not a duration"):
        SoftDelete(family(None)[0], keep="soon")
