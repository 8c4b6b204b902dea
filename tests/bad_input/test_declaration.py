"""A declaration that cannot be meant: named, with its place and the way out, before the server is asked anything."""

from __future__ import annotations

import pytest

from tests.bad_input.ground import Ground, refusal

MORE = '\n    Backup(keep="7 days", rpo="1 minute"),'

# What is changed in layer.py, the code, and words that the error must hold.
LAYERS = {
    "a table that is none": ("History(Customer, ", 'History("customer", ', "declaration.unknown-table", ["customer"]),
    "a foreign table": (
        "History(Customer, ",
        "History(sa.Table('far', sa.MetaData(), sa.Column('id', sa.Integer, primary_key=True)), ",
        "declaration.unknown-table",
        ["far"],
    ),
    "a key of a report": ('keys=["customer_id"]', 'keys=["customer"]', "declaration.unknown-column", ["customer"]),
    "a tenant column": (
        "Tenancy(Company)",
        "Tenancy(Company, column='owner')",
        "tenancy.unclassified-table",
        ["customer"],
    ),
    "two tenancies": (
        "Tenancy(Company),",
        "Tenancy(Company), Tenancy(Customer),",
        "declaration.contradiction",
        ["Tenancy"],
    ),
    "shared and owned": (
        "Tenancy(Company)",
        "Tenancy(Company, shared=[Customer])",
        "declaration.contradiction",
        ["customer"],
    ),
    "shared and exempt": (
        "Tenancy(Company)",
        "Tenancy(Company, shared=[Invoice], exempt={Invoice: 'no'})",
        "declaration.contradiction",
        ["invoice"],
    ),
    "two histories": (
        "History(Customer, ",
        "History(Customer, keep='1 year'), History(Customer, ",
        "declaration.contradiction",
        ["customer"],
    ),
    "two reports": (
        "    invoiced,",
        "    invoiced, Report('invoiced', sa.select(Invoice.tenant_id, Invoice.id), keys=['id'], fresh='1 day'),",
        "declaration.contradiction",
        ["invoiced"],
    ),
    "two backups": (MORE, MORE + " Backup(keep='1 day'),", "declaration.contradiction", ["Backup"]),
    "two roles": ("    Roles(),", "    Roles(), Roles(auditor=False),", "declaration.contradiction", ["Roles"]),
    "no declaration": ("    Roles(),", "    'roles',", "declaration.invalid", ["roles"]),
    "a duration": ('keep="7 years"', 'keep="for ever"', "declaration.invalid", ["for ever"]),
    "a name": ("name=", "name='No Name' or ", "declaration.invalid", ["No Name"]),
}


@pytest.mark.parametrize(("old", "new", "code", "words"), LAYERS.values(), ids=LAYERS.keys())
def test_layer(unserved: Ground, old: str, new: str, code: str, words: list[str]) -> None:
    unserved.write("layer.py", old, new)
    _told(unserved, code, words)


def _told(ground: Ground, code: str, words: list[str]) -> None:
    error = refusal(ground.command, "apply", "--yes")
    assert error["code"] == code, error
    for word in words:
        assert word in error["message"] + error["detail"], error


STRAY = """

class Stray(Base):
    __tablename__ = "stray"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
"""
TYPE = "    amount: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2))"
EMAIL = "    email: Mapped[str | None]"
MODELS = {
    "unclassified": (TYPE, TYPE + STRAY, "tenancy.unclassified-table", ["stray"]),
    "a crossing foreign key": (
        "    customer_id: Mapped[int] = mapped_column(sa.BigInteger)",
        "    customer_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey(Customer.id))",
        "tenancy.cross-tenant-foreign-key",
        ["invoice", "customer_id"],
    ),
    "a key without the tenant": (
        'tenant_unique("email", name="customer_email_key")',
        'sa.UniqueConstraint("email", name="customer_email_key")',
        "tenancy.key-without-tenant",
        ["customer", "email"],
    ),
    "an absent column in a foreign key": (
        '"customer_id", "$name.customer.id"',
        '"customer_id", "$name.customer.number"',
        "declaration.unknown-column",
        ["number"],
    ),
    "an absent table in a foreign key": (
        '"customer_id", "$name.customer.id"',
        '"customer_id", "$name.client.id"',
        "declaration.unknown-table",
        ["client"],
    ),
    "an absent column in an index": (
        '"tenant_id", "customer_id"),',
        '"tenant_id", "client_id"),',
        "config.invalid",
        ["client_id"],
    ),
}


@pytest.mark.parametrize(("old", "new", "code", "words"), MODELS.values(), ids=MODELS.keys())
def test_model(unserved: Ground, old: str, new: str, code: str, words: list[str]) -> None:
    unserved.write("models.py", *(text.replace("$name", "shop") for text in (old, new)))
    _told(unserved, code, words)


# What only the server can tell; it is told of the declared object and not of a half-run plan.
REFUSED = {
    "a check that does not parse": (
        'tenant_unique("email", name="customer_email_key"),',
        'tenant_unique("email", name="customer_email_key"), sa.CheckConstraint("name >", name="named"),',
        "declaration.invalid",
        ["customer", "named"],
    ),
    "a check of an absent column": (
        'tenant_unique("email", name="customer_email_key"),',
        'tenant_unique("email", name="customer_email_key"), sa.CheckConstraint("nam <> \'\'", name="named"),',
        "declaration.invalid",
        ["customer", "named", "nam"],
    ),
    "a default that does not fit": (
        EMAIL,
        "    email: Mapped[int | None] = mapped_column(server_default='many')",
        "declaration.invalid",
        ["customer"],
    ),
    "a name that is too long": (
        EMAIL,
        EMAIL + f"\n    city: Mapped[str | None] = mapped_column('{'e' * 70}')",
        "declaration.invalid",
        ["customer", "e" * 64],
    ),
}


def test_what_the_server_refuses(ground: Ground) -> None:
    before, models = ground.contents(), (ground.folder / "models.py").read_text()
    for old, new, code, words in REFUSED.values():
        (ground.folder / "models.py").write_text(models)
        ground.write("models.py", old, new)
        _told(ground, code, words)
    assert ground.contents() == before
