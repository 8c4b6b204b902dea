"""Live rows that a new constraint would refuse: which, how many, in which table; and nothing is changed."""

from __future__ import annotations

import pytest

from tests.bad_input.ground import ONE, Ground, refusal

ARGS = 'tenant_unique("email", name="customer_email_key"),'
EMAIL = "    email: Mapped[str | None]"

# The rows that are there, the change of the model, and what the error says of them.
CASES = {
    "check": (
        "UPDATE {layer}.customer SET name = '' WHERE name IN ('X2', 'X3')",
        (ARGS, ARGS + " sa.CheckConstraint(\"name <> ''\", name='customer_named'),"),
        ["customer_named: 4 rows", '"name": ""'],
        "UPDATE {layer}.customer SET name = 'Y' WHERE name = ''",
    ),
    "not null": (
        "UPDATE {layer}.customer SET email = name WHERE name <> 'X1'",
        (EMAIL, "    email: Mapped[str]"),
        ["customer.email: 2 rows", '"name": "X1"'],
        "UPDATE {layer}.customer SET email = 'a' WHERE email IS NULL",
    ),
    "unique": (
        "UPDATE {layer}.customer SET name = 'X2' WHERE name = 'X3'",
        (ARGS, ARGS + " tenant_unique('name', name='customer_name_key'),"),
        ["customer_name_key: 4 rows", '"name": "X2"'],
        "UPDATE {layer}.customer SET name = id::text",
    ),
    "a new column": (
        "SELECT 1",
        (EMAIL, EMAIL + "\n    city: Mapped[str]"),
        ["customer.city: 6 rows"],
        "DELETE FROM {layer}.invoice; DELETE FROM {layer}.customer",
    ),
    "unique index": (
        "UPDATE {layer}.customer SET name = 'x2' WHERE name = 'X3'",
        (
            ARGS,
            ARGS + " sa.Index('customer_lower_idx', 'tenant_id', sa.text('lower(name)'), unique=True),",
        ),
        ["customer_lower_idx: 4 rows", '"lower'],
        "UPDATE {layer}.customer SET name = id::text",
    ),
}


FRIEND = "    friend: Mapped[int | None] = mapped_column(sa.BigInteger)"
TO_CUSTOMER = "tenant_foreign_key('friend', '{layer}.customer.id', name='customer_friend_fkey'),"


def test_references_to_nowhere(ground: Ground) -> None:
    ground.write("models.py", EMAIL, f"{EMAIL}\n{FRIEND}")
    assert ground.command("apply", "--yes").status == 0
    ground.run(f"UPDATE {{layer}}.customer SET friend = 4711 WHERE tenant_id = '{ONE}' AND name <> 'X1'")
    before = ground.contents()
    ground.write("models.py", ARGS, f"{ARGS} {TO_CUSTOMER.format(layer=ground.name)}")
    error = refusal(ground.command, "apply", "--yes")
    assert error["code"] == "plan.data-violates"
    assert "customer_friend_fkey: 2 rows" in error["detail"]
    assert '"friend": 4711' in error["detail"]
    assert ground.contents() == before
    ground.run("UPDATE {layer}.customer SET friend = id")
    assert ground.command("apply", "--yes").status == 0


NAME = "    name: Mapped[str]\n\n\nclass Customer"


def test_values_that_do_not_fit_a_new_type(ground: Ground) -> None:
    """PostgreSQL says which value does not fit; the step's transaction is rolled back and the journal keeps the try."""
    ground.write("models.py", NAME, NAME.replace("[str]", "[int] = mapped_column(sa.BigInteger)"))
    before = ground.contents("--exclude-schema=freehold")
    assert refusal(ground.command, "apply", "--yes")["code"] == "plan.step-refused"
    error = refusal(ground.command, "apply", "--yes", "--allow-data-loss")
    assert error["code"] == "apply.step-failed"
    assert "company.name" in error["message"]
    assert '"C"' in error["message"]
    assert ground.contents("--exclude-schema=freehold") == before


@pytest.mark.parametrize(("rows", "change", "words", "mend"), CASES.values(), ids=CASES.keys())
def test_rows_in_the_way(ground: Ground, rows: str, change: tuple[str, str], words: list[str], mend: str) -> None:
    ground.run(rows)
    before = ground.contents()
    ground.write("models.py", *change)
    flags = ("--yes", "--allow-data-loss", "--allow-weaker-guard", "a test", "--approved-by", "somebody")
    error = refusal(ground.command, "apply", *flags)
    assert error["code"] == "plan.data-violates", error
    for word in words:
        assert word in error["detail"] + error["message"], error
    assert ground.contents() == before
    ground.run(mend)
    done = ground.command("apply", *flags)
    assert done.status == 0, done.err
    assert ground.command("plan").status == 0
