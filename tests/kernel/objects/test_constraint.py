"""Constraints of every type: online on live tables, on partitioned ones, deferrable, temporal."""

from __future__ import annotations

import pytest

from freehold.errors import DeclarationError
from freehold.kernel.objects import Constraint, Extension, Index, Key, Lock, Table
from tests.kernel.objects.ground import Ground, column, item, titles

COLUMNS = (column("a", "integer"), column("b", "integer"), column("r", "int4range"), column("item_id", "bigint"))


def constraint(name: str, kind: str, definition: str, *columns: str) -> Constraint:
    """A constraint of ``shop.item``."""
    return Constraint(
        schema="shop", table="item", constraint=name, type=kind, definition=definition, columns=columns or ("a",)
    )


PRIMARY = constraint("item_pkey", "p", "PRIMARY KEY (id)", "id")
ALL = (
    PRIMARY,
    constraint("item_a_key", "u", "UNIQUE (a)"),
    constraint("item_b_key", "u", "UNIQUE NULLS NOT DISTINCT (b)", "b"),
    constraint("item_ab_key", "u", "UNIQUE (a, b) INCLUDE (id) DEFERRABLE INITIALLY DEFERRED", "a", "b"),
    constraint("item_a_check", "c", "CHECK (a > 0 AND a % 2 = 1 AND a::text NOT LIKE '%%9')"),
    constraint("item_b_check", "c", "CHECK (b IS NOT NULL) NO INHERIT", "b"),
    constraint("item_fkey", "f", "FOREIGN KEY (item_id) REFERENCES shop.item(id) ON DELETE SET NULL DEFERRABLE", "id"),
    constraint("item_r_excl", "x", "EXCLUDE USING gist (r WITH &&)", "r"),
)


def test_every_type_there_and_back(ground: Ground) -> None:
    ground.settle(item(*COLUMNS), *ALL)
    ground.settle(item(*COLUMNS))


def test_live_table_gets_them_without_standing_still(ground: Ground) -> None:
    ground.settle(item(*COLUMNS))
    ground.run("INSERT INTO shop.item SELECT i, 2 * i - 1, i, int4range(i, i + 1) FROM generate_series(1, 4) AS i")
    steps = ground.settle(item(*COLUMNS), *ALL)
    assert {step.flag for step in steps} == {""}
    long = [s for s in steps if s.change.lock is Lock.SHARE_UPDATE_EXCLUSIVE]
    assert {s.change.title.split()[0] for s in long} == {"build", "validate"}
    assert len(long) == 4 + 3


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("DROP CONSTRAINT item_a_key", ["build index of", "add"]),
        ("DROP CONSTRAINT item_a_check", ["add", "validate"]),
        ("DROP CONSTRAINT item_fkey", ["add", "validate"]),
        (
            "DROP CONSTRAINT item_a_check, ADD CONSTRAINT item_a_check "
            "CHECK (a > 0 AND a % 2 = 1 AND a::text NOT LIKE '%%9') NOT VALID",
            ["validate"],
        ),
        ("DROP CONSTRAINT item_b_key, ADD CONSTRAINT item_b_key UNIQUE (b)", ["build index of", "replace"]),
        ("DROP CONSTRAINT item_r_excl", ["add"]),
        ("DROP CONSTRAINT item_pkey CASCADE", ["build index of", "add", "add", "validate"]),
    ],
)
def test_change_by_hand_is_mended(ground: Ground, damage: str, expected: list[str]) -> None:
    steps = ground.mended(f"ALTER TABLE shop.item {damage}", item(*COLUMNS), *ALL)
    assert [title.rpartition(" constraint ")[0] for title in titles(steps)] == expected
    assert {step.flag for step in steps if not step.change.title.startswith("replace")} == {""}


def test_changed_key_takes_its_foreign_keys_along(ground: Ground) -> None:
    wider = constraint("item_pkey", "p", "PRIMARY KEY (id) INCLUDE (a)", "id")
    ground.settle(item(*COLUMNS), *ALL)
    steps = ground.settle(item(*COLUMNS), wider, *ALL[1:])
    assert titles(steps) == [
        "build index of constraint shop.item.item_pkey",
        "replace constraint shop.item.item_pkey and 1 that go with it",
        "validate constraint shop.item.item_fkey",
    ]
    assert [step.flag for step in steps] == ["", "--allow-weaker-guard", ""]


def test_index_becomes_a_constraint_of_the_same_name(ground: Ground) -> None:
    text = "CREATE UNIQUE INDEX item_a_key ON shop.item (a)"
    ground.settle(item(*COLUMNS), Index(schema="shop", table="item", index="item_a_key", definition=text))
    assert titles(ground.settle(item(*COLUMNS), ALL[1]))[0] == "drop index shop.item_a_key"


def test_partitioned_table_gets_them_too(ground: Ground) -> None:
    parent = item(*COLUMNS, partition_key="RANGE (id)")
    parts = [
        Table(
            schema="shop",
            table=f"item_{number}",
            parent="shop.item",
            bound=f"FOR VALUES FROM ({number}0) TO ({number + 1}0)",
            after=(Key("table", ("shop", "item")),),
        )
        for number in (0, 1)
    ]
    kept = [PRIMARY, *ALL[4:5], ALL[6]]
    unique = constraint("item_ab_key", "u", "UNIQUE (id, a)", "id", "a")
    ground.settle(parent, *parts)
    ground.run("INSERT INTO shop.item VALUES (1, 1, 1), (11, 3, 3)")
    ground.settle(parent, *parts, *kept, unique)
    (again,) = ground.mended("ALTER TABLE shop.item DROP CONSTRAINT item_ab_key", parent, *parts, *kept, unique)
    assert again.change.lock is Lock.ACCESS_EXCLUSIVE
    ground.settle(parent, *parts)
    ground.settle(parent, *parts[:1], *kept, unique)


def test_temporal_key_needs_18(ground: Ground) -> None:
    key = constraint("item_pkey", "p", "PRIMARY KEY (id, r WITHOUT OVERLAPS)", "id", "r")
    wanted = (Extension(extension="btree_gist"), item(*COLUMNS), key)
    if ground.major < 18:
        with pytest.raises(DeclarationError, match=r"constraint shop\.item\.item_pkey"):
            ground.plan(*wanted)
        return
    ground.settle(*wanted)
    ground.mended("ALTER TABLE shop.item DROP CONSTRAINT item_pkey", *wanted)


def test_constraint_that_is_not_enforced_needs_18(ground: Ground) -> None:
    loose = constraint("item_a_check", "c", "CHECK (a > 0) NOT ENFORCED")
    if ground.major >= 18:
        ground.settle(item(*COLUMNS))
        ground.settle(item(*COLUMNS), loose)
