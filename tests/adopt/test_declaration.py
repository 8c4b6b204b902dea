"""Adopted tables among classified ones: no room makes anything for them."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import Adopted, DataLayer, Roles, Tenancy
from freehold.errors import Contradiction, DeclarationError, UnclassifiedTable, UnknownTable
from freehold.kernel.declare import Entity
from freehold.kernel.metadata import partition_of


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"

    id: Mapped[UUID] = mapped_column(primary_key=True)


class Customer(Base):
    __tablename__ = "customer"

    company_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True)


class Old(Base):
    __tablename__ = "old"
    __table_args__ = ({"postgresql_partition_by": "RANGE (id)"},)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[UUID | None]


sa.Table("old_1", Base.metadata, info=partition_of("shop.old", "FOR VALUES FROM (1) TO (9)"))
ALL: tuple[Entity, ...] = (Company, Customer, Old)
DAY = "2026-03-01"


def objects_of(*items: object) -> set[str]:
    """What a layer makes beside the models' own objects."""
    declared = DataLayer(Base.metadata, *items, name="shop").declared
    return {str(key) for key, item in declared.objects.items() if item.room != "model"}


def test_nothing_is_made_where_all_is_adopted() -> None:
    assert objects_of(Adopted(*ALL, on=DAY)) == set()


def test_a_table_among_classified_ones_gets_nothing() -> None:
    made = objects_of(Tenancy(Company, column="company_id"), Roles(), Adopted(Old, on=DAY))
    assert "policy shop.customer.freehold_select" in made
    assert "owner table.shop.customer" in made
    assert [key for key in made if "shop.old" in key] == []


def test_without_adopted_it_would_get_a_guard() -> None:
    """The column names a tenant, so that leaving the table out of Adopted is seen."""
    with pytest.raises(DeclarationError):
        objects_of(Tenancy(Company, column="company_id"), Roles())


def test_reason_is_kept() -> None:
    classes = DataLayer(Base.metadata, Adopted(*ALL, on=DAY), name="shop").declared.model.classes
    assert {found.reason for found in classes.values()} == {"not classified yet: adopted on 2026-03-01"}
    assert set(classes) == {("shop", name) for name in ("company", "customer", "old", "old_1")}


def test_mistakes() -> None:
    with pytest.raises(DeclarationError, match="is no date"):
        Adopted(Old, on="last week")
    with pytest.raises(UnclassifiedTable):
        objects_of(Adopted(Company, Customer, on=DAY))
    with pytest.raises(UnknownTable):
        objects_of(Adopted(*ALL, sa.Table("elsewhere", sa.MetaData()), on=DAY))
    with pytest.raises(Contradiction):
        objects_of(Tenancy(Company, column="company_id", shared=[Old]), Adopted(Old, on=DAY))
