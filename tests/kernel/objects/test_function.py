"""Functions and procedures: replaced in place where PostgreSQL allows it, else made anew with their dependents."""

from __future__ import annotations

import pytest

from freehold.errors import PlanError
from freehold.kernel.objects import Function, Policy, RowSecurity, Trigger, View
from tests.kernel.objects.ground import ITEM, Ground, column, item, titles


def function(name: str, arguments: str, rest: str, types: str | None = None, word: str = "FUNCTION") -> Function:
    """A routine ``shop.<name>``; ``types`` are its input types where they differ from the arguments."""
    return Function(
        schema="shop",
        function=name,
        arguments=arguments if types is None else types,
        definition=f"CREATE OR REPLACE {word} shop.{name}({arguments}) {rest}",
        routine=word,
        after=(ITEM,) if "shop.item" in arguments + rest else (),
    )


ALL = (
    function("plain", "", "RETURNS integer LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS 'SELECT 1'"),
    function("named", "a integer, b text DEFAULT 'x%'", "RETURNS text LANGUAGE sql AS 'SELECT b'", "integer, text"),
    function("rest", "VARIADIC parts text[]", "RETURNS text LANGUAGE sql AS 'SELECT parts[1]'", "text[]"),
    function("out", "a integer, OUT b integer, OUT c text", "LANGUAGE sql AS 'SELECT 1, NULL::text'", "integer"),
    function("both", "INOUT a integer", "LANGUAGE sql AS 'SELECT a'", "integer"),
    function(
        "rows", "a integer", "RETURNS TABLE (x integer, y text) LANGUAGE sql AS 'SELECT 1, NULL::text'", "integer"
    ),
    function("items", "", "RETURNS SETOF shop.item LANGUAGE sql AS 'SELECT * FROM shop.item'"),
    function("of_item", "i shop.item", "RETURNS bigint LANGUAGE sql AS 'SELECT i.id'", "shop.item"),
    function("atomic", "", "RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT max(id) FROM shop.item; END"),
    function("act", "a integer", "LANGUAGE plpgsql AS $$ BEGIN NULL; END $$", "integer", "PROCEDURE"),
    function("definer", "", "RETURNS integer LANGUAGE sql SECURITY DEFINER STRICT COST 7 PARALLEL SAFE AS 'SELECT 1'"),
)


def test_every_shape_there_and_back(ground: Ground) -> None:
    ground.settle(item(), *ALL)
    ground.settle(item(column("c", "text")), *ALL)
    ground.settle()


def test_public_may_not_execute(ground: Ground) -> None:
    ground.settle(item(), *ALL)
    query = (
        "SELECT count(*) FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a "
        "WHERE pronamespace = 'shop'::regnamespace AND a.grantee = 0"
    )
    assert ground.rows(query) == [(0,)]


def test_gutted_body_is_put_back(ground: Ground) -> None:
    damage = "CREATE OR REPLACE FUNCTION shop.plain() RETURNS integer LANGUAGE sql AS 'SELECT 2'"
    (step,) = ground.mended(damage, ALL[0])
    assert (step.change.title, step.flag) == ("replace function shop.plain()", "")
    assert ground.rows("SELECT shop.plain()") == [(1,)]


@pytest.mark.parametrize(
    ("old", "new", "flag"),
    [
        (
            "SECURITY INVOKER SET search_path = pg_catalog, pg_temp",
            "SECURITY DEFINER SET search_path = pg_catalog, pg_temp",
            "--allow-weaker-guard",
        ),
        ("SET search_path = pg_catalog, pg_temp", "", "--allow-weaker-guard"),
        ("STABLE", "IMMUTABLE", ""),
    ],
)
def test_attributes_change_in_place(ground: Ground, old: str, new: str, flag: str) -> None:
    def made(words: str) -> Function:
        return function("f", "", f"RETURNS integer LANGUAGE sql {words} AS 'SELECT 1'")

    ground.settle(made(old))
    (step,) = ground.settle(made(new))
    assert step.flag == flag


BOOLEAN = "RETURNS boolean LANGUAGE sql AS 'SELECT true'"


@pytest.mark.parametrize(
    ("old", "new", "anew"),
    [
        ("a integer", "a integer DEFAULT 1", False),
        ("a integer DEFAULT 1", "a integer", True),
        ("a integer", "b integer", True),
        ("integer", "b integer", True),
    ],
)
def test_parameters_change_under_a_policy(ground: Ground, old: str, new: str, anew: bool) -> None:
    guard = (
        Policy(schema="shop", table="item", policy="p", using="shop.f(1)"),
        RowSecurity(schema="shop", table="item"),
    )
    ground.settle(item(), function("f", old, BOOLEAN, "integer"), *guard)
    steps = ground.settle(item(), function("f", new, BOOLEAN, "integer"), *guard)
    together = "replace function shop.f.integer and 1 that go with it"
    assert titles(steps) == [together if anew else "replace function shop.f(integer)"]


def test_result_changes_under_trigger_view_and_default(ground: Ground) -> None:
    def made(kind: str) -> Function:
        return function("f", "", f"RETURNS {kind} LANGUAGE sql AS 'SELECT 1'")

    view = View(schema="shop", view="v", definition="SELECT shop.f() AS x")
    ground.settle(made("integer"), view)
    ground.settle(made("bigint"), view)
    ground.settle(made("integer"), item(column("n", "integer", default="shop.f()")))
    with pytest.raises(PlanError, match=r"column shop\.item\.n stands on .* function shop\.f"):
        ground.plan(made("bigint"), item(column("n", "integer", default="shop.f()")))
    ground.settle(made("bigint"), item(column("n", "integer", default="1")))


def test_function_that_is_gone_goes_after_its_trigger(ground: Ground) -> None:
    body = function("t", "", "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$")
    text = "CREATE TRIGGER t BEFORE INSERT ON shop.item FOR EACH ROW EXECUTE FUNCTION shop.t()"
    ground.settle(item(), body, Trigger(schema="shop", table="item", trigger="t", definition=text))
    assert titles(ground.settle(item())) == ["drop trigger shop.item.t", "drop function shop.t()"]
