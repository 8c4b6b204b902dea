"""The retailer's tables as plain SQLAlchemy 2 models: what is sold, to whom, for how much, and where the goods are."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import tenant_foreign_key

SCHEMA = "retail"

NAMES = {
    "pk": "%(table_name)s_pk",
    "fk": "%(table_name)s_%(referred_table_name)s_fk",
    "uq": "%(table_name)s_%(column_0_name)s_uq",
    "ck": "%(table_name)s_%(constraint_name)s_ck",
}


class Base(DeclarativeBase):
    """The models' registry; every constraint gets a name, since a plan speaks of constraints by name."""

    metadata = MetaData(schema=SCHEMA, naming_convention=NAMES)
    type_annotation_map = {str: Text(), int: BigInteger(), datetime: DateTime(timezone=False), UUID: Uuid()}  # noqa: RUF012


class OwnedRow:
    """A row that hangs on a document of its tenant; the tenant comes first in every key."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1)


class OwnedDocument:
    """A row that hangs on nothing but its tenant."""

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("retail.country.id"), primary_key=True, sort_order=-1)


# --- shared by all tenants -------------------------------------------------------------------------------------------


class Product(Base):
    """An article or a service of the catalogue; description and price change over the year."""

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("code", name="product_code_uq"),
        CheckConstraint("code = upper(code)", name="code_upper"),
        CheckConstraint("list_price > 0", name="price_positive"),
        CheckConstraint(
            "family IN ('goods', 'voucher', 'carriage', 'discount', 'fee', 'manual', 'sample')", name="family"
        ),
    )
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str]
    family: Mapped[str]
    description: Mapped[str | None]
    list_price: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))


class Account(Base):
    """An account of the chart that every tenant's ledger uses."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("name", name="account_name_uq"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]


class Source(Base):
    """An input file by its content, and how far the catalogue has followed it."""

    __tablename__ = "source"
    __table_args__ = (
        CheckConstraint("lines >= 0 AND batch_lines > 0 AND batches_catalogued >= 0", name="counts"),
        CheckConstraint("length(sha256) = 64", name="digest"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    lines: Mapped[int]
    batch_lines: Mapped[int]
    batches_catalogued: Mapped[int]


# --- tenant-owned ----------------------------------------------------------------------------------------------------


class Country(Base):
    """The tenant: one country's branch of the business."""

    __tablename__ = "country"
    __table_args__ = (UniqueConstraint("name", name="country_name_uq"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class Customer(OwnedDocument, Base):
    """Somebody the branch knows by number."""

    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_seen_on: Mapped[date]


class CustomerOrder(OwnedDocument, Base):
    """An invoice; without a customer where the input names none."""

    __tablename__ = "customer_order"
    __table_args__ = (
        tenant_foreign_key("customer_id", "retail.customer.id", name="customer_order_customer_fk"),
        CheckConstraint("completed_at >= placed_at", name="period"),
        Index("customer_order_customer_ix", "tenant_id", "customer_id"),
        Index("customer_order_placed_ix", "tenant_id", "placed_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    customer_id: Mapped[int | None]
    placed_at: Mapped[datetime]
    completed_at: Mapped[datetime]


class OrderLine(OwnedRow, Base):
    """One line of an invoice, with the text it was billed under; free of charge is allowed, negative is not."""

    __tablename__ = "order_line"
    __table_args__ = (
        tenant_foreign_key("order_id", "retail.customer_order.id", name="order_line_order_fk"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("unit_price >= 0", name="price"),
    )
    order_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[int] = mapped_column(ForeignKey("retail.product.id"))
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    amount: Mapped[Decimal] = mapped_column(Numeric(16, 2), Computed("quantity * unit_price", persisted=True))
    description: Mapped[str | None]


class CreditNote(OwnedDocument, Base):
    """Money given back; the input does not say for which order."""

    __tablename__ = "credit_note"
    __table_args__ = (
        tenant_foreign_key("customer_id", "retail.customer.id", name="credit_note_customer_fk"),
        CheckConstraint("completed_at >= issued_at", name="period"),
        Index("credit_note_customer_ix", "tenant_id", "customer_id"),
        Index("credit_note_issued_ix", "tenant_id", "issued_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    customer_id: Mapped[int | None]
    issued_at: Mapped[datetime]
    completed_at: Mapped[datetime]


class CreditLine(OwnedRow, Base):
    """One line of a credit note; quantity and amount are what is given back, so they are positive."""

    __tablename__ = "credit_line"
    __table_args__ = (
        tenant_foreign_key("credit_note_id", "retail.credit_note.id", name="credit_line_credit_note_fk"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("unit_price >= 0", name="price"),
    )
    credit_note_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[int] = mapped_column(ForeignKey("retail.product.id"))
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    amount: Mapped[Decimal] = mapped_column(Numeric(16, 2), Computed("quantity * unit_price", persisted=True))
    description: Mapped[str | None]


class Stock(OwnedDocument, Base):
    """What is on the shelf; never less than nothing."""

    __tablename__ = "stock"
    __table_args__ = (CheckConstraint("on_hand >= 0", name="on_hand"),)
    product_id: Mapped[int] = mapped_column(ForeignKey("retail.product.id"), primary_key=True)
    on_hand: Mapped[int]


class StockMovement(OwnedRow, Base):
    """A change of the stock, by the input line that caused it or, for a receipt, that proves it."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        tenant_foreign_key("product_id", "retail.stock.product_id", name="stock_movement_stock_fk"),
        CheckConstraint(
            "CASE kind WHEN 'sale' THEN quantity < 0 WHEN 'return' THEN quantity > 0"
            " WHEN 'receipt' THEN quantity > 0 WHEN 'adjustment' THEN quantity <> 0 ELSE false END",
            name="direction",
        ),
    )
    line_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[int]
    quantity: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[int]
    moved_at: Mapped[datetime]
    remark: Mapped[str | None]


class LedgerEntry(OwnedRow, Base):
    """One document in the books; its postings sum to zero at commit (see sql/create_entry_balances.sql)."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        tenant_foreign_key("order_id", "retail.customer_order.id", name="ledger_entry_order_fk"),
        tenant_foreign_key("credit_note_id", "retail.credit_note.id", name="ledger_entry_credit_note_fk"),
        CheckConstraint("num_nonnulls(order_id, credit_note_id) = 1", name="document"),
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    order_id: Mapped[int | None]
    credit_note_id: Mapped[int | None]
    booked_at: Mapped[datetime]


class Posting(OwnedRow, Base):
    """One side of an entry: debit positive, credit negative."""

    __tablename__ = "posting"
    __table_args__ = (
        tenant_foreign_key("entry_id", "retail.ledger_entry.id", name="posting_entry_fk"),
        CheckConstraint("amount <> 0", name="amount"),
    )
    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("retail.account.id"), primary_key=True)
    amount: Mapped[Decimal] = mapped_column(Numeric(20, 2))


class LoadBatch(OwnedDocument, Base):
    """One tenant's part of one batch of the input, written in the transaction that loaded it."""

    __tablename__ = "load_batch"
    __table_args__ = (CheckConstraint("loaded >= 0 AND quarantined >= 0", name="counts"),)
    source_id: Mapped[UUID] = mapped_column(ForeignKey("retail.source.id"), primary_key=True)
    batch_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    loaded: Mapped[int]
    quarantined: Mapped[int]


class Quarantine(OwnedDocument, Base):
    """An input line that no rule of the business covers, as it came, with the reason."""

    __tablename__ = "quarantine"
    source_id: Mapped[UUID] = mapped_column(ForeignKey("retail.source.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[str]
    invoice_no: Mapped[str | None]
    stock_code: Mapped[str | None]
    description: Mapped[str | None]
    quantity: Mapped[Decimal | None] = mapped_column(Numeric())
    invoiced_at: Mapped[datetime | None]
    unit_price: Mapped[Decimal | None] = mapped_column(Numeric())
    customer_no: Mapped[Decimal | None] = mapped_column(Numeric())
    amount: Mapped[Decimal | None] = mapped_column(Numeric(), Computed("quantity * unit_price", persisted=True))
