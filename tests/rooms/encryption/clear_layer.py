"""Customers who were kept in clear, in the three shapes of a table on its way to encrypted columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from freehold import DataLayer, History, Roles, Tenancy
from freehold.kernel.declare import CIPHERTEXT
from freehold.rooms.encryption import BlindIndex, Encrypted, EncryptedType

CLEAR = {"email_sealed": "email", "score_sealed": "score"}
SEARCH = {"email_sealed": BlindIndex(bits=32, normalise="casefold")}


def layer(name: str, *, clear: bool = True, sealed: bool = True) -> DataLayer:
    """The declared layer.

    Parameters
    ----------
    clear, sealed
        Which columns the customers have.
    """
    data = sa.MetaData(schema="app")
    company = sa.Table("company", data, sa.Column("id", sa.Uuid, primary_key=True))
    customer = sa.Table(
        "customer",
        data,
        sa.Column("tenant_id", sa.ForeignKey(company.c.id, name="customer_tenant_fk"), primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        *_columns(clear=clear, sealed=sealed),
    )
    made = [History(customer, keep="7 years"), Roles()]
    if sealed:
        made.append(Encrypted(customer, *CLEAR, search=SEARCH, clear=CLEAR if clear else {}))
    return DataLayer(data, Tenancy(company), *made, name=name)


def _columns(*, clear: bool, sealed: bool) -> Iterator[sa.Column[Any]]:
    if clear:
        yield from (sa.Column("email", sa.Text), sa.Column("score", sa.Integer))
    if sealed:
        yield sa.Column("email_sealed", EncryptedType())
        yield sa.Column("email_sealed_blind", sa.LargeBinary, info={CIPHERTEXT: True})
        yield sa.Column("score_sealed", EncryptedType("int"))
