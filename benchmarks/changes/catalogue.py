"""The kinds of change, each with the usual statement for it, and pgroll's operation where it has one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ENUM, JSONB

from benchmarks.changes.shape import Shape, foreign_key, required
from freehold import (
    Audit,
    Backfill,
    BlindIndex,
    Encrypted,
    EncryptedType,
    Extra,
    History,
    Partitioned,
    Rename,
    Report,
    Roles,
    SoftDelete,
    Tenancy,
)
from freehold.kernel.objects import Function, Grant, Object, Policy, Role, RowSecurity, Trigger, View

Edit = Callable[[Shape], Any]
OWN_ROLE, RIGHTS = "bookkeeper", ("DELETE", "INSERT", "SELECT", "UPDATE")
"""The application's login before there is Freehold, and what it may do with each table."""


@dataclass(frozen=True)
class Case:
    """One change.

    Parameters
    ----------
    edit
        What it changes of the shape; ``before`` what is changed already.
    naive
        The same, as somebody in a hurry writes it.
    pgroll
        pgroll's operation for it, or empty.
    newer
        What the newer application gives for a new row beside what the older one does: columns and SQL values.
    older
        What the older application gives for a new row beside what all do.
    mail
        The name by which the newer one knows the column ``mail``.
    tenants
        Whether both name the tenant of each transaction.
    """

    name: str
    edit: Edit
    naive: str = ""
    pgroll: str = ""
    before: Edit = lambda shape: None
    newer: tuple[tuple[str, str], ...] = ()
    older: tuple[tuple[str, str], ...] = ()
    mail: str = "mail"
    tenants: bool = False
    long_lock: bool = False
    weaker: bool = False
    loses: bool = False


def column(name: str, make: Callable[[], sa.Column[Any]]) -> Edit:
    return lambda shape: shape.columns.__setitem__(name, make)


def item(name: str, make: Callable[[], sa.schema.SchemaItem]) -> Edit:
    return lambda shape: shape.items.__setitem__(name, make)


def declare(*makes: Callable[[sa.MetaData], object]) -> Edit:
    return lambda shape: shape.declared.extend(makes)


def both(*edits: Edit) -> Edit:
    return lambda shape: [edit(shape) for edit in edits]


def entry(data: sa.MetaData) -> sa.Table:
    return data.tables["app.entry"]


def extra(*objects: Object) -> Edit:
    return declare(lambda data: Extra(*objects))


def backfill(name: str, value: Callable[[sa.MetaData], Any]) -> Edit:
    return declare(lambda data: Backfill(entry(data), name, value(data)))


def company_name(data: sa.MetaData) -> Any:
    company = data.tables["app.company"]
    return sa.select(company.c.name).where(company.c.id == entry(data).c.company_id).scalar_subquery()


def rename_column(shape: Shape) -> None:
    shape.columns = {{"mail": "email"}.get(name, name): make for name, make in shape.columns.items()}
    shape.items["mail"] = lambda: sa.UniqueConstraint("email", name="entry_mail_uq")
    shape.declared.append(lambda data: Rename(entry(data), column="email", was="mail"))


def rename_table(shape: Shape) -> None:
    shape.table = "posting"
    shape.declared.append(lambda data: Rename(data.tables["app.posting"], was="entry"))


def wider_key(shape: Shape) -> None:
    shape.columns["id"] = lambda: sa.Column(sa.BigInteger, sa.Identity(), nullable=False)
    shape.tag_number = sa.BigInteger


def composite_key(shape: Shape) -> None:
    shape.items["key"] = lambda: sa.PrimaryKeyConstraint("company_id", "id", name="entry_pk")
    shape.tag_columns, shape.tag_refers = ("company_id", "entry_id"), ("company_id", "id")


def cut_key(shape: Shape) -> None:
    """What a partitioned table needs: keys that hold the time, and no reference by the number alone."""
    shape.items["key"] = lambda: sa.PrimaryKeyConstraint("id", "at", name="entry_pk")
    shape.items.pop("mail")
    shape.has_tags = False


def cut(shape: Shape) -> None:
    cut_key(shape)
    shape.options["postgresql_partition_by"] = "RANGE (at)"
    shape.declared.append(lambda data: Partitioned(entry(data), every="month", ahead=2, since=date(2025, 12, 1)))
    # Rights that nobody declared would be lost with the table that holds them: the plan refuses that.
    rights = Grant(on="table", target=("app", "entry"), grantee=OWN_ROLE, privileges=RIGHTS)
    shape.declared.append(lambda _: Extra(Role(role=OWN_ROLE, login=True), rights))


def ready_for_tenants(shape: Shape) -> None:
    """The application has its role and names its tenant before any table asks for it."""

    def tenancy(data: sa.MetaData) -> Tenancy:
        exempt = dict.fromkeys((entry(data), data.tables["app.tag"]), "the application is being made ready")
        return Tenancy(data.tables["app.company"], column="company_id", exempt=exempt)

    shape.tenancy = tenancy
    shape.declared.append(lambda data: Roles(writes=[entry(data), data.tables["app.tag"]]))


def tenants(shape: Shape) -> None:
    composite_key(shape)
    shape.tag_key = ("company_id", "id")
    shape.items["mail"] = lambda: sa.UniqueConstraint("company_id", "mail", name="entry_mail_uq")
    shape.tenancy = lambda data: Tenancy(data.tables["app.company"], column="company_id")
    shape.declared.append(lambda _: Roles())


def application_key(shape: Shape) -> None:
    """Numbers that the application makes, as a table with encrypted values needs them."""
    shape.columns["id"] = lambda: sa.Column(sa.Integer, nullable=False, autoincrement=False)


def encrypted(**options: Any) -> Edit:
    """A column for encrypted values, with a blind index."""
    return both(
        application_key,
        column("secret", lambda: sa.Column(EncryptedType())),
        column("secret_blind", lambda: sa.Column(sa.LargeBinary)),
        declare(lambda data: Encrypted(entry(data), "secret", search={"secret": BlindIndex()}, **options)),
    )


def report(*more: str) -> Callable[[sa.MetaData], Report]:
    def made(data: sa.MetaData) -> Report:
        table = entry(data)
        extra_columns = [sa.func.sum(table.c[name]).label(name) for name in more]
        query = sa.select(table.c.company_id, sa.func.count().label("entries"), *extra_columns).group_by(
            table.c.company_id
        )
        return Report("totals", query, keys=["company_id"])

    return made


def view(columns: str) -> View:
    return View(
        schema="app",
        view="open_entry",
        definition=f"SELECT {columns} FROM app.entry WHERE state = 'open'",
        options=("security_invoker=true",),
    )


def policy(text: str) -> tuple[Object, Object]:
    return (
        Policy(schema="app", table="entry", policy="p", using=text),
        RowSecurity(schema="app", table="entry", forced=False),
    )


def function(body: str) -> Function:
    return Function(
        schema="app",
        function="touched",
        returns="trigger",
        definition="CREATE OR REPLACE FUNCTION app.touched() RETURNS trigger LANGUAGE plpgsql "
        f"SET search_path = pg_catalog, pg_temp AS $$ BEGIN {body} RETURN NEW; END $$",
    )


TOUCHED = Trigger(
    schema="app",
    table="entry",
    trigger="touched",
    definition="CREATE TRIGGER touched BEFORE UPDATE ON app.entry FOR EACH ROW EXECUTE FUNCTION app.touched()",
)
NUMBER = (("id", "1000000000 + pg_current_xact_id()::text::integer"),)
"""A number that no other transaction gives."""
SECRET = (
    ("secret", "'\\x4648450101'::bytea || uuid_send(gen_random_uuid()) || decode(repeat('5a', 40), 'hex')"),
    ("secret_blind", "substring(uuid_send(gen_random_uuid()) FROM 1 FOR 4)"),
)
"""What an encrypted value looks like to the server, and its blind index."""
READER = Role(role="changes_reader", reason="reads entries")


def grant(*privileges: str) -> Grant:
    return Grant(on="table", target=("app", "entry"), grantee="changes_reader", privileges=privileges)


ALTER = "ALTER TABLE app.entry "
CASES = (
    Case(
        "a column that may be empty",
        column("flag", lambda: sa.Column(sa.Boolean)),
        ALTER + "ADD flag boolean",
        "add_column",
    ),
    Case(
        "a required column with a constant default",
        column("rank", lambda: required(sa.Integer, "0")),
        ALTER + "ADD rank integer NOT NULL DEFAULT 0",
        "add_column",
    ),
    Case(
        "a required column with a volatile default",
        column("token", lambda: required(sa.Uuid(), "gen_random_uuid()")),
        ALTER + "ADD token uuid NOT NULL DEFAULT gen_random_uuid()",
        "add_column",
    ),
    Case(
        "a required column computed from others",
        both(
            column("domain", lambda: required(sa.Text)),
            backfill("domain", lambda d: sa.func.split_part(entry(d).c.mail, "@", 2)),
        ),
        ALTER
        + "ADD domain text; UPDATE app.entry SET domain = split_part(mail, '@', 2); "
        + ALTER
        + "ALTER domain SET NOT NULL",
        "add_column with up",
        newer=(("domain", "'x'"),),
    ),
    Case(
        "a required column read from another table",
        both(column("company_name", lambda: required(sa.Text)), backfill("company_name", company_name)),
        newer=(("company_name", "'x'"),),
    ),
    Case("a column goes", lambda s: s.columns.pop("legacy"), ALTER + "DROP legacy", "drop_column", loses=True),
    Case(
        "a column has another name",
        rename_column,
        ALTER + "RENAME mail TO email",
        "rename_column",
        mail="email",
    ),
    Case("the table has another name", rename_table, ALTER + "RENAME TO posting", "rename_table"),
    Case(
        "varchar(20) to varchar(40)",
        column("code", lambda: required(sa.String(40))),
        ALTER + "ALTER code TYPE varchar(40)",
        "alter_column",
    ),
    Case("varchar to text", column("code", lambda: required(sa.Text)), ALTER + "ALTER code TYPE text", "alter_column"),
    Case(
        "integer to bigint",
        column("units", lambda: required(sa.BigInteger, "1")),
        ALTER + "ALTER units TYPE bigint",
        "alter_column",
    ),
    Case(
        "the key from integer to bigint, with its references", wider_key, ALTER + "ALTER id TYPE bigint", "alter_column"
    ),
    Case(
        "numeric(12,2) to numeric(14,2)",
        column("amount", lambda: required(sa.Numeric(14, 2))),
        ALTER + "ALTER amount TYPE numeric(14,2)",
        "alter_column",
    ),
    Case(
        "numeric(12,2) to numeric(16,4)",
        column("amount", lambda: required(sa.Numeric(16, 4))),
        ALTER + "ALTER amount TYPE numeric(16,4)",
        "alter_column",
    ),
    Case(
        "text to integer",
        column("digits", lambda: required(sa.Integer)),
        ALTER + "ALTER digits TYPE integer USING digits::integer",
        "alter_column",
        loses=True,
    ),
    Case(
        "timestamp to timestamptz",
        column("made", lambda: required(sa.DateTime(timezone=True), "'2026-01-01 00:00:00+00'")),
        ALTER + "ALTER made TYPE timestamptz",
        "alter_column",
    ),
    Case(
        "json to jsonb",
        column("body", lambda: sa.Column(JSONB)),
        ALTER + "ALTER body TYPE jsonb",
        "alter_column",
        loses=True,
    ),
    Case(
        "a column becomes required",
        both(column("note", lambda: required(sa.Text)), backfill("note", lambda d: "none")),
        "UPDATE app.entry SET note = 'none' WHERE note IS NULL; " + ALTER + "ALTER note SET NOT NULL",
        "alter_column with up",
    ),
    Case(
        "a column is required no more",
        column("state", lambda: sa.Column(sa.Text, server_default=sa.text("'open'"))),
        ALTER + "ALTER state DROP NOT NULL",
        "alter_column",
    ),
    Case(
        "another default",
        column("units", lambda: required(sa.Integer, "2")),
        ALTER + "ALTER units SET DEFAULT 2",
        "alter_column",
    ),
    Case(
        "no default",
        column("state", lambda: required(sa.Text)),
        ALTER + "ALTER state DROP DEFAULT",
        "alter_column",
        newer=(("state", "'open'"),),
    ),
    Case(
        "a check",
        item("amount", lambda: sa.CheckConstraint("amount >= 0", name="entry_amount_ck")),
        ALTER + "ADD CONSTRAINT entry_amount_ck CHECK (amount >= 0)",
        "create_constraint",
    ),
    Case(
        "another check of the same name",
        item("units", lambda: sa.CheckConstraint("units >= 1", name="entry_units_ck")),
        weaker=True,
    ),
    Case(
        "a check goes",
        lambda s: s.items.pop("units"),
        ALTER + "DROP CONSTRAINT entry_units_ck",
        "drop_constraint",
        weaker=True,
    ),
    Case(
        "a foreign key",
        item("company", foreign_key),
        ALTER + "ADD CONSTRAINT entry_company_fk FOREIGN KEY (company_id) REFERENCES app.company",
        "create_constraint",
        before=lambda s: s.items.pop("company"),
    ),
    Case("another action of a foreign key", item("company", lambda: foreign_key(ondelete="CASCADE")), weaker=True),
    Case(
        "a foreign key goes",
        lambda s: s.items.pop("company"),
        ALTER + "DROP CONSTRAINT entry_company_fk",
        "drop_constraint",
        weaker=True,
    ),
    Case(
        "a unique key",
        item("code", lambda: sa.UniqueConstraint("code", "id", name="entry_code_uq")),
        ALTER + "ADD CONSTRAINT entry_code_uq UNIQUE (code, id)",
        "create_constraint",
    ),
    Case(
        "another unique key of the same name",
        item("mail", lambda: sa.UniqueConstraint("company_id", "mail", name="entry_mail_uq")),
        weaker=True,
    ),
    Case("another primary key, with its references", composite_key, weaker=True),
    Case(
        "an index",
        item("state_ix", lambda: sa.Index("entry_state_ix", "state", "units")),
        "CREATE INDEX entry_state_ix ON app.entry (state, units)",
        "create_index",
    ),
    Case(
        "an index over an expression",
        item("lower_ix", lambda: sa.Index("entry_lower_ix", sa.text("lower(mail)"))),
        "CREATE INDEX entry_lower_ix ON app.entry (lower(mail))",
    ),
    Case(
        "a partial unique index",
        item("note_ux", lambda: sa.Index("entry_note_ux", "id", unique=True, postgresql_where=sa.text("note IS NULL"))),
        "CREATE UNIQUE INDEX entry_note_ux ON app.entry (id) WHERE note IS NULL",
        "create_index",
    ),
    Case(
        "another index of the same name",
        item("at_ix", lambda: sa.Index("entry_at_ix", "at", "company_id")),
        "DROP INDEX app.entry_at_ix; CREATE INDEX entry_at_ix ON app.entry (at, company_id)",
    ),
    Case("an index goes", lambda s: s.items.pop("at_ix"), "DROP INDEX app.entry_at_ix", "drop_index"),
    Case("partitions by month", cut, before=cut_key),
    Case(
        "a label of an enum",
        column("kind", lambda: required(ENUM("plain", "other", "third", name="kind", schema="app"), "'plain'")),
        "ALTER TYPE app.kind ADD VALUE 'third'",
    ),
    Case("a view", extra(view("id, company_id")), "CREATE VIEW app.open_entry AS SELECT id, company_id FROM app.entry"),
    Case("another view of the same name", extra(view("id, mail")), before=extra(view("id, company_id")), weaker=True),
    Case(
        "a trigger",
        extra(function("NEW.state := NEW.state;"), TOUCHED),
        "CREATE TRIGGER t BEFORE UPDATE ON app.entry "
        "FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    Case(
        "another body of a trigger's function",
        extra(function("NEW.legacy := 'touched';"), TOUCHED),
        before=extra(function("NEW.state := NEW.state;"), TOUCHED),
    ),
    Case("row security with a policy", extra(*policy("id > 0"))),
    Case("another policy", extra(*policy("id > 0 AND units > 0")), before=extra(*policy("id > 0"))),
    Case(
        "tenancy: composite keys and policies",
        tenants,
        before=ready_for_tenants,
        tenants=True,
        weaker=True,
    ),
    Case("history", declare(lambda d: History(entry(d), keep="7 years"))),
    Case(
        "a column of a table with history",
        both(declare(lambda d: History(entry(d))), column("token", lambda: required(sa.Uuid(), "gen_random_uuid()"))),
        before=declare(lambda d: History(entry(d))),
    ),
    Case(
        "audit",
        declare(lambda d: Audit(entry(d))),
        weaker=True,
    ),
    Case(
        "soft delete",
        declare(lambda d: SoftDelete(entry(d), keep="90 days", lose=[d.tables["app.tag"]])),
        weaker=True,
    ),
    Case(
        "encryption: an encrypted column with a blind index",
        encrypted(),
        before=application_key,
        older=NUMBER,
        newer=SECRET,
    ),
    Case(
        "encryption: beside a clear column",
        encrypted(clear={"secret": "note"}),
        before=application_key,
        older=NUMBER,
        newer=SECRET,
    ),
    Case("a report", declare(report())),
    Case(
        "another report of the same name", declare(report("units")), before=declare(report()), loses=True, weaker=True
    ),
    Case("a role that reads", extra(READER, grant("SELECT")), weaker=True),
    Case(
        "a role that may write too",
        extra(READER, grant("INSERT", "SELECT")),
        before=extra(READER, grant("SELECT")),
        weaker=True,
    ),
    Case(
        "storage options",
        lambda s: s.options.update(postgresql_with={"fillfactor": 80}),
        ALTER + "SET (fillfactor = 80)",
    ),
    Case(
        "a comment",
        lambda s: setattr(s, "comment", "what was posted"),
        "COMMENT ON TABLE app.entry IS 'what was posted'",
    ),
)
