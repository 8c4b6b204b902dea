"""Periods past their time leave: detached beside readers and writers, exported where that is declared, and dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from freehold.errors import PartitionInUse
from freehold.events import Listener, PartitionRetired, ignore
from freehold.kernel.action import record_action
from freehold.kernel.names import Sql, ddl, literal, qualified
from freehold.kernel.periods import Cut
from freehold.kernel.template import read_sql
from freehold.rooms.partitions.declare import Partitioned
from freehold.rooms.partitions.export import Exported, export

PACKAGE = __package__ or ""
LOCK_TIMEOUT = "2s"
"""A partition that does not get its lock within this time stays for the next run."""
_UPPER = re.compile(r"TO \('([^']+)'\)")
Connection = psycopg.Connection[Any]
Cuts = Partitioned | Cut
"""A declaration, or what another room has cut by time."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition as it is: ``detached`` waits to be dropped, ``pending`` is half detached by a run cut short."""

    name: str
    bound: str | None
    pending: bool
    detached: bool
    bytes: int

    @property
    def end(self) -> datetime | None:
        """When its period ends; None for a part by hash and for a detached one."""
        found = _UPPER.search(self.bound or "")
        if not found:
            return None
        moment = datetime.fromisoformat(found[1])
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def partitions_of(connection: Connection, declaration: Cuts) -> list[Partition]:
    """The partitions of a table, and those that were detached to be dropped."""
    with connection.transaction(), connection.cursor(row_factory=class_row(Partition)) as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'")
        cursor.execute("SET LOCAL datestyle = 'ISO, YMD'")
        names = {"table": str(_parent(declaration)), "mark": _mark(declaration)}
        return cursor.execute(sql.SQL(read_sql(PACKAGE, "list_partitions")), names).fetchall()


def retire(connection: Connection, declaration: Cuts, *, listener: Listener = ignore) -> list[Exported | str]:
    """Take away every period that is past its time; the files written, or the names of what was dropped unexported.

    A run that is cut short at any point is finished by the next one. Readers and writers of the table go on: a
    partition is detached concurrently, which waits for the transactions that use it. Where triggers hear of deleted
    rows, such as history's, the rows are deleted first, and writers to that period wait meanwhile.

    Parameters
    ----------
    connection
        In autocommit mode, as the layer's owner or an administrator whom row security does not bind.
    declaration
        One with ``keep``; another has nothing to retire.

    Raises
    ------
    PartitionInUse
        Rows of other tables refer to the period's rows, or a long transaction holds it; it stays.
    PartitionNotExported
        The file could not be written; the rows stay until a run can write it.
    """
    leaving = Leaving(connection, declaration)
    done: list[Exported | str] = []
    for partition in leaving.expired():
        done.append(leaving.take(partition))
        listener(PartitionRetired(declaration.title, partition.name, isinstance(done[-1], Exported)))
    return done


@dataclass(frozen=True)
class Leaving:
    """The periods of one table that are past their time, on their way out."""

    connection: Connection
    declaration: Cuts

    def expired(self) -> list[Partition]:
        """What an earlier run has begun, and what is past its time."""
        cutoff = self.declaration.cutoff
        if cutoff is None:
            return []
        return [
            found
            for found in partitions_of(self.connection, self.declaration)
            if found.detached or found.pending or (found.end is not None and found.end <= cutoff)
        ]

    def take(self, partition: Partition) -> Exported | str:
        """One period, from wherever it stands."""
        part, file = _part(self.declaration, partition.name), None
        try:
            if not (partition.detached or partition.pending) and self._heard(part):
                file = self._delete(part, partition.name)
            self._detach(part, partition)
        except (psycopg.errors.IntegrityError, psycopg.errors.LockNotAvailable) as error:
            raise PartitionInUse(
                f"{partition.name} of {self.declaration.title} is past its time, and cannot leave",
                detail=error.diag.message_primary or "",
                hint="Rows of other tables refer to it: let them leave first. Or a transaction holds it: run again.",
            ) from error
        finally:
            if not self.connection.broken:
                self.connection.execute("RESET lock_timeout")
        file = file or self._export(part, partition.name)
        with self.connection.transaction():
            self._run(ddl("DROP TABLE {}", part))
            name = f"{self.declaration.table[0]}.{partition.name}"
            record_action(self.connection, "partition", name, "export" if file else "drop", {})
        return file or partition.name

    def _heard(self, part: Sql) -> bool:
        names = {"table": str(_parent(self.declaration)), "part": str(part)}
        row = self.connection.execute(sql.SQL(read_sql(PACKAGE, "read_listeners")), names).fetchone()
        return bool(row and row[0])

    def _delete(self, part: Sql, name: str) -> Exported | None:
        """Through the table, so that its triggers fire; what is exported is what is deleted."""
        with self.connection.transaction():
            self._wait_briefly()
            self._run(ddl("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", part))
            file = self._export(part, name)
            self._run(
                ddl("DELETE FROM {} AS t WHERE t.tableoid = {}::regclass", _parent(self.declaration), literal(part))
            )
        return file

    def _detach(self, part: Sql, partition: Partition) -> None:
        if partition.detached:
            return
        how = ddl("FINALIZE") if partition.pending else ddl("CONCURRENTLY")
        self._wait_briefly()
        # The mark comes first: what is detached without one would never be found again.
        self._run(ddl("COMMENT ON TABLE {} IS {}", part, literal(_mark(self.declaration))))
        self._run(ddl("ALTER TABLE {} DETACH PARTITION {} {}", _parent(self.declaration), part, how))

    def _export(self, part: Sql, name: str) -> Exported | None:
        """A period without rows leaves no file, so that none takes the place of one that was written before."""
        if self.declaration.export is None:
            return None
        row = self.connection.execute(sql.SQL(ddl("SELECT EXISTS (SELECT FROM {})", part))).fetchone()
        return export(self.connection, part, name, Path(self.declaration.export)) if row and row[0] else None

    def _wait_briefly(self) -> None:
        self._run(ddl("SET lock_timeout = {}", literal(LOCK_TIMEOUT)))

    def _run(self, statement: Sql) -> None:
        self.connection.execute(sql.SQL(statement))


def _parent(declaration: Cuts) -> Sql:
    return qualified(*declaration.table)


def _part(declaration: Cuts, name: str) -> Sql:
    return qualified(declaration.table[0], name)


def _mark(declaration: Cuts) -> str:
    """The comment that tells a detached partition from a table of somebody's own."""
    return f"freehold: a period of {declaration.title} that is past its time"
