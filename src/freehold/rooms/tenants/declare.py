"""What the user writes: which rows the law keeps, and what of a tenant may not be seen in a copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, OfTable, column_of, seconds_of

Mask = Callable[[str, bytes], str]
"""Makes a value's text in a copy of its own text and of 32 bytes that are the same for the same value."""


@dataclass(frozen=True)
class TenantRule(OfTable):
    """What is declared of tenants as a unit."""


@dataclass(frozen=True)
class LegalHold(TenantRule):
    """Rows that nobody deletes before their time, and that an erase stops at.

    Parameters
    ----------
    entity
        A mapped class or a table.
    because
        The legal basis, in words for whoever meets it.
    keep
        For how long, such as ``"10 years"``; None holds rows for good.
    since
        With ``keep``: the column, a date or a timestamp, from which it counts. A row without a value is held.

    Raises
    ------
    DeclarationError
        The reason is empty, or ``keep`` and ``since`` do not come together.

    >>> import sqlalchemy as sa
    >>> columns = (sa.Column("id", sa.Integer, primary_key=True), sa.Column("issued_on", sa.Date))
    >>> invoice = sa.Table("invoice", sa.MetaData(), *columns)
    >>> LegalHold(invoice, because="tax law", keep="10 years", since="issued_on").title
    'public.invoice'
    """

    because: str = ""
    keep: str | None = None
    since: str | None = None

    def __post_init__(self) -> None:
        if not self.because.strip():
            raise DeclarationError(
                f"LegalHold on {self.title} gives no reason", hint="Name the legal basis: because='tax law, ten years'."
            )
        if (self.keep is None) != (self.since is None):
            raise DeclarationError(
                f"LegalHold on {self.title} says for how long, or since when, but not both",
                hint="Give keep='10 years' together with since='issued_on', or neither: then rows are held for good.",
            )
        if self.keep is not None and self.since is not None:
            seconds_of(self.keep)
            column_of(self.entity, self.since)


@dataclass(frozen=True, init=False)
class Masked(TenantRule):
    """Columns whose values do not go into a clone: what takes their place is made anew, and alike for alike.

    Parameters
    ----------
    entity
        A mapped class or a table; the tables that keep its past and its deleted rows are masked with it.
    columns
        For each column a function ``mask(text, digest)`` that gives the text of a value in its place, or None, which
        leaves NULL. The digest is a keyed hash of the value, under a key that is forgotten after the clone.

    Raises
    ------
    UnknownColumn
        The table has no such column.

    >>> import sqlalchemy as sa
    >>> columns = (sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.Text))
    >>> contact = sa.Table("contact", sa.MetaData(), *columns)
    >>> rule = Masked(contact, email=lambda text, digest: f"{digest.hex()[:12]}@example.com")
    >>> rule.columns["email"]("ann@company.org", bytes(32))
    '000000000000@example.com'
    """

    columns: Mapping[str, Mask | None]

    def __init__(self, entity: Entity, **columns: Mask | None) -> None:
        object.__setattr__(self, "entity", entity)
        object.__setattr__(self, "columns", {column_of(entity, name).name: mask for name, mask in columns.items()})
