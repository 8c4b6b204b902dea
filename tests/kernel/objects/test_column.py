"""Columns: every property there and back, and changes that keep the rows."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.errors import DeclarationError
from freehold.kernel.objects import Column, Enum, Lock, Table
from freehold.kernel.objects.width import narrower
from tests.kernel.objects.ground import Ground, column, item


def changing(number: int, first: dict[str, Any], then: dict[str, Any]) -> tuple[Column, Column]:
    """One column before and after."""
    return column(f"c{number}", **first), column(f"c{number}", **then)


KINDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "varchar(20)"}, {"type": "varchar(40)"}),
    ({"type": "varchar(20)", "default": "'x'"}, {"type": "text", "default": "'x'"}),
    ({"type": "integer", "default": "7"}, {"type": "bigint", "default": "7"}),
    ({"type": "text", "default": "'7'"}, {"type": "integer", "default": "8"}),
    ({"type": "text", "default": "'basic'"}, {"type": "shop.tier", "default": "'basic'"}),
    ({"type": "numeric(8,2)", "default": "1.5"}, {"type": "numeric(10,2)", "default": "1.5"}),
    ({"type": "text", "default": "'x'"}, {"type": "text", "default": "'x'", "collation": '"C"'}),
    ({"type": "text", "default": "'x'"}, {"type": "text", "default": "'x'", "not_null": True}),
    ({"type": "text", "default": "'x'", "not_null": True}, {"type": "text"}),
    ({"type": "text", "comment": "it's"}, {"type": "text", "comment": "a \\ b"}),
    ({"type": "integer", "default": "7", "not_null": True}, {"type": "integer", "not_null": True, "identity": "d"}),
    ({"type": "integer", "default": "7"}, {"type": "bigint", "not_null": True, "identity": "a"}),
    ({"type": "integer", "not_null": True, "identity": "d"}, {"type": "integer", "default": "7"}),
    (
        {"type": "integer", "not_null": True, "identity": "d"},
        {"type": "bigint", "not_null": True, "identity": "a", "identity_options": "CACHE 3"},
    ),
    (
        {"type": "integer", "not_null": True, "identity": "a"},
        {
            "type": "integer",
            "not_null": True,
            "identity": "d",
            "identity_options": "START WITH 10 INCREMENT BY 5 CACHE 3 CYCLE",
        },
    ),
    (
        {"type": "integer", "not_null": True, "identity": "d", "identity_options": "INCREMENT BY 5 MAXVALUE 90"},
        {"type": "integer", "not_null": True, "identity": "d"},
    ),
    (
        {"type": "bigint", "not_null": True, "identity": "d"},
        {"type": "bigint", "not_null": True, "identity": "d", "identity_options": "MAXVALUE 2147483647"},
    ),
    ({"type": "bigint", "generated": "s", "default": "id * 2"}, {"type": "bigint"}),
    ({"type": "text[]", "default": "'{}'"}, {"type": "text[]", "default": "ARRAY['%', 'a%%b']"}),
]
CHANGES = [changing(number, *kind) for number, kind in enumerate(KINDS)]
TIER = Enum(schema="shop", type_name="tier", labels=("basic", "gold"))


def test_changed_declaration_keeps_the_rows(ground: Ground) -> None:
    before, after = item(*(first for first, _ in CHANGES)), item(*(then for _, then in CHANGES))
    ground.settle(TIER, before)
    ground.run("INSERT INTO shop.item (id) VALUES (1)")
    (held,) = ground.rows("SELECT * FROM shop.item")
    ground.settle(TIER, after)
    (kept,) = ground.rows("SELECT * FROM shop.item")
    assert [str(value) for value in kept] == [str(value) for value in held]
    ground.settle(TIER, item())


def test_formula_that_changes_is_computed_again(ground: Ground) -> None:
    ground.settle(item(column("c", "bigint", generated="s", default="id * 2")))
    ground.run("INSERT INTO shop.item (id) VALUES (1)")
    steps = ground.settle(item(column("c", "bigint", generated="s", default="id * 3")))
    assert {step.flag for step in steps} == {""}
    assert ground.rows("SELECT c FROM shop.item") == [(3,)]


@pytest.mark.parametrize(
    ("new", "old", "narrow"),
    [
        ("character varying(40)", "character varying(20)", False),
        ("character varying(20)", "character varying(40)", True),
        ("character varying(20)", "text", True),
        ("character varying", "character varying(9)", False),
        ("numeric(10,2)", "numeric(8,2)", False),
        ("numeric(10,4)", "numeric(9,2)", True),
        ("numeric", "numeric(9,2)", False),
        ("numeric(9,2)", "numeric", True),
        ("bigint", "smallint", False),
        ("integer", "bigint", True),
        ("numeric", "bigint", False),
        ("text", "uuid", False),
        ("uuid", "text", True),
        ("date", "timestamp with time zone", True),
        ("timestamp(3) with time zone", "timestamp(6) with time zone", True),
    ],
)
def test_narrower_type_is_told(new: str, old: str, narrow: bool) -> None:
    assert narrower(new, old) is narrow


def test_wider_type_keeps_the_files(ground: Ground) -> None:
    def node() -> object:
        return ground.rows("SELECT pg_relation_filenode('shop.item')")

    ground.settle(item(column("c", "varchar(20)"), column("d", "numeric(8,2)")))
    before = node()
    ground.settle(item(column("c", "varchar(40)"), column("d", "numeric(10,2)")))
    assert node() == before


@pytest.mark.parametrize(
    ("damage", "title", "flag", "lock"),
    [
        ("ALTER TABLE shop.item DROP COLUMN c", "add column", "", Lock.ACCESS_EXCLUSIVE),
        ("ALTER TABLE shop.item ALTER c TYPE varchar(10)", "change type of column", "", Lock.ACCESS_EXCLUSIVE),
        (
            "ALTER TABLE shop.item ALTER c TYPE text",
            "change type of column",
            "--allow-data-loss",
            Lock.ACCESS_EXCLUSIVE,
        ),
        ("ALTER TABLE shop.item ALTER c DROP DEFAULT", "change default of column", "", Lock.ACCESS_EXCLUSIVE),
        ("COMMENT ON COLUMN shop.item.c IS 'other'", "comment on column", "", Lock.SHARE_UPDATE_EXCLUSIVE),
    ],
)
def test_change_by_hand_is_mended(ground: Ground, damage: str, title: str, flag: str, lock: Lock) -> None:
    (step,) = ground.mended(damage, item(column("c", "varchar(20)", default="'x'", comment="told")))
    assert step.change.title.startswith(f"{title} shop.item.c")
    assert (step.flag, step.change.lock) == (flag, lock)


def test_not_null_is_set_without_a_long_lock(ground: Ground) -> None:
    steps = ground.mended("ALTER TABLE shop.item ALTER c DROP NOT NULL", item(column("c", "text", not_null=True)))
    assert [step.change.lock for step in steps] == [
        Lock.ACCESS_EXCLUSIVE,
        Lock.SHARE_UPDATE_EXCLUSIVE,
        Lock.ACCESS_EXCLUSIVE,
    ]
    assert ground.rows("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'fh%'") == [(0,)]


def test_identity_that_is_added_goes_on_after_the_highest_value(ground: Ground) -> None:
    ground.settle(item())
    ground.run("INSERT INTO shop.item VALUES (41)")
    ground.settle(Table(schema="shop", table="item", columns=(column("id", "bigint", not_null=True, identity="d"),)))
    assert ground.rows("INSERT INTO shop.item DEFAULT VALUES RETURNING id") == [(42,)]


def test_hidden_version_of_15_is_ignored(ground: Ground) -> None:
    steps = ground.mended(
        "UPDATE pg_attribute SET attoptions = '{pg_attver=3}' WHERE attrelid = 'shop.item'::regclass AND attname = 'c'",
        item(column("c", "text")),
    )
    assert steps == ()


def test_virtual_column_needs_18(ground: Ground) -> None:
    virtual = item(column("c", "bigint", generated="v", default="id * 2"))
    if ground.major < 18:
        with pytest.raises(DeclarationError, match=r"table shop\.item"):
            ground.plan(virtual)
        return
    ground.settle(virtual)
    ground.settle(item(column("c", "bigint", generated="s", default="id * 2")))


def test_dropped_column_says_what_is_lost(ground: Ground) -> None:
    ground.settle(item(column("c", "text"), column("d", "bigint", generated="s", default="id + 1")))
    ground.run("INSERT INTO shop.item (id, c) VALUES (1, 'x'), (2, NULL)")
    lost, derived = ground.plan(item())
    assert (lost.flag, lost.change.loses) == ("--allow-data-loss", "every value of shop.item.c (1 rows)")
    assert derived.flag == ""


def test_column_under_a_generated_one_changes_its_type(ground: Ground) -> None:
    def made(kind: str) -> Table:
        return item(column("n", kind), column("m", "text", generated="s", default="n || '!'"))

    ground.settle(made("varchar(20)"))
    ground.run("INSERT INTO shop.item (id, n) VALUES (1, 'a')")
    ground.settle(made("varchar(40)"))
    assert ground.rows("SELECT n, m FROM shop.item") == [("a", "a!")]
