"""Accounts with a balance, projects that count tasks, boards that add up projects, folders in folders."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, Roles, SoftDelete, Tenancy, tenant_foreign_key
from freehold.rooms.constraints import Counter, Derived


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Owned:
    """A table that a company owns."""

    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)


class Account(Owned, Base):
    __tablename__ = "account"
    balance: Mapped[Decimal] = mapped_column(sa.Numeric(14, 2), server_default="0")
    entries: Mapped[int] = mapped_column(server_default="0")


class Entry(Owned, Base):
    __tablename__ = "entry"
    __table_args__ = (tenant_foreign_key("account_id", "shop.account.id", ondelete="CASCADE"),)
    account_id: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    amount: Mapped[Decimal | None] = mapped_column(sa.Numeric(12, 2))
    posted: Mapped[bool] = mapped_column(server_default="true")


class Board(Base):
    __tablename__ = "board"
    id: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(server_default="0")


class Project(Base):
    __tablename__ = "project"
    id: Mapped[int] = mapped_column(primary_key=True)
    board_id: Mapped[int] = mapped_column(sa.ForeignKey("shop.board.id"))
    open_tasks: Mapped[int] = mapped_column(server_default=sa.text("0"))
    weight: Mapped[Decimal] = mapped_column(sa.Numeric, server_default="0")


class Task(Base):
    __tablename__ = "task"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(sa.ForeignKey("shop.project.id"))
    done: Mapped[bool] = mapped_column(server_default="false")
    keys: Mapped[Decimal] = mapped_column(sa.Numeric, server_default="1")


class Folder(Base):
    __tablename__ = "folder"
    id: Mapped[int] = mapped_column(primary_key=True)
    inside_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shop.folder.id"))
    folders: Mapped[int] = mapped_column(server_default="0")


BALANCE = Derived(Account, "balance", sum=Entry.amount, where=Entry.posted, reset_on_insert=True)
ENTRIES = Counter(Account, "entries", of=Entry, reset_on_insert=True)
TASKS = Counter(Project, "open_tasks", of=Task, where=~Task.done)
WEIGHT = Derived(Project, "weight", sum=Task.keys)
ROLLED = Derived(Board, "last", sum=Project.open_tasks)
FOLDERS = Counter(Folder, "folders", of=Folder)
KEPT = (BALANCE, ENTRIES, TASKS, WEIGHT, ROLLED, FOLDERS)


def layer(name: str, *rules: object) -> DataLayer:
    """The layer with these rules."""
    return DataLayer(
        Base.metadata,
        Tenancy(Company, shared=[Board, Project, Task, Folder]),
        Roles(),
        SoftDelete(Account, keep="30 days", rewritten=["balance", "entries"]),
        SoftDelete(Entry, keep="30 days"),
        *rules,
        name=name,
    )
