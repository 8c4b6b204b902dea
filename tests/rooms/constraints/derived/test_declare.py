"""What the declaration of a derived column must say, and what the model must be like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import DataLayer, Roles, Tenancy
from freehold.errors import DeclarationError, UnknownColumn
from freehold.rooms.constraints import Counter, Derived

from .layer import Account, Entry, Folder, Project, Task


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Derived(Account, "balance"),
        lambda: Derived(Account, "balance", sum="amount"),
        lambda: Derived(Account, "balance", sum=sa.func.sum(Entry.amount)),
        lambda: Derived(Folder, "folders", sum=Folder.folders),
        lambda: Counter(Project, "open_tasks"),
    ],
)
def test_a_rule_that_says_too_little(wrong: Callable[[], object]) -> None:
    with pytest.raises(DeclarationError) as caught:
        wrong()
    assert caught.value.hint


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Derived(Account, "sum", sum=Entry.amount),
        lambda: Counter(Project, "open_tasks", of=Task, via=("board_id",)),
    ],
)
def test_a_column_that_is_not_there(wrong: Callable[[], object]) -> None:
    with pytest.raises(UnknownColumn):
        wrong()


KEPT: dict[str, tuple[Any, dict[str, Any]]] = {
    "a float": (sa.Float, {"server_default": "0"}),
    "too few digits": (sa.Numeric(9, 1), {"server_default": "0"}),
    "nullable": (sa.Numeric(9, 2), {"server_default": "0", "nullable": True}),
    "no default": (sa.Numeric(9, 2), {}),
    "another default": (sa.Numeric(9, 2), {"server_default": "10"}),
}
REFERENCES: dict[str, dict[str, Any]] = {
    "deferred": {"deferrable": True},
    "a parent's key that moves": {"onupdate": "CASCADE"},
}


def built(kind: Any, options: dict[str, Any], reference: dict[str, Any]) -> DataLayer:
    data = sa.MetaData(schema="shop")
    parent = sa.Table(
        "parent",
        data,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("total", kind, **{"nullable": False, **options}),
    )
    child = sa.Table(
        "child",
        data,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("parent_id", sa.ForeignKey("shop.parent.id", **reference)),
        sa.Column("amount", sa.Numeric(8, 2)),
    )
    rule = Derived(parent, "total", sum=child.c.amount)
    return DataLayer(data, Tenancy(root=None, exempt={"*": "a test"}), Roles(), rule, name="kept")


@pytest.mark.parametrize("wrong", KEPT)
def test_a_column_that_cannot_hold_it(wrong: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        built(*KEPT[wrong], {}).declared.objects  # noqa: B018
    assert caught.value.hint


@pytest.mark.parametrize("wrong", REFERENCES)
def test_a_foreign_key_that_does_not_always_hold(wrong: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        built(sa.Numeric(9, 2), {"server_default": "0"}, REFERENCES[wrong]).declared.objects  # noqa: B018
    assert caught.value.hint


def test_what_is_right() -> None:
    assert built(sa.Numeric(9, 2), {"server_default": sa.text("0.00")}, {"ondelete": "CASCADE"}).declared.objects
