"""A detached partition as a Parquet file, read back before its rows are given up."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from freehold.errors import PackageMissing, PartitionNotExported
from freehold.kernel.names import Sql

BATCH = 50_000
"""Rows that are held in memory at once."""
MANIFEST = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class Exported:
    """One file: its name, rows, bytes and SHA-256, and the partition that it holds."""

    file: str
    partition: str
    rows: int
    bytes: int
    sha256: str


def export(connection: psycopg.Connection[Any], table: Sql, name: str, folder: Path) -> Exported:
    """Write every row of a table into ``folder``, read the file back, and note it in the folder's manifest.

    A file of the same name, left by a run that was cut short, is written anew. Values are stored as PostgreSQL writes
    them, columns of numbers, booleans and times as such.

    Raises
    ------
    PackageMissing
        pyarrow is not installed.
    PartitionNotExported
        The file cannot be written, or what is read back is not what was written; nothing was dropped.
    """
    target = folder / f"{name}.parquet"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = _write(connection, table, target)
        done = Exported(target.name, name, rows, target.stat().st_size, _digest(target))
        _verify(target, rows)
        _note(folder, done)
    except OSError as error:
        raise PartitionNotExported(
            f"{name} cannot be exported to {folder}",
            detail=str(error),
            hint="Nothing was dropped. Give the folder room and rights, and run it again.",
        ) from error
    return done


def _write(connection: psycopg.Connection[Any], table: Sql, target: Path) -> int:
    pa, pq = _arrow()
    part, count = target.with_suffix(".part"), 0
    with connection.transaction(), connection.cursor(name="freehold_export") as cursor:
        cursor.itersize = BATCH
        cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.SQL(table)))
        schema = pa.schema([(column.name, _type(pa, column.type_code)) for column in cursor.description or ()])
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            while rows := cursor.fetchmany(BATCH):
                columns = [
                    pa.array([_plain(value, field.type, pa) for value in values], field.type)
                    for values, field in zip(zip(*rows, strict=True), schema, strict=True)
                ]
                writer.write_batch(pa.record_batch(columns, schema=schema))
                count += len(rows)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(target)
    return count


def _type(pa: Any, oid: int) -> Any:
    """Numbers, booleans, dates and times as such; everything else as the text that PostgreSQL reads back."""
    return {
        16: pa.bool_(),
        17: pa.binary(),
        20: pa.int64(),
        21: pa.int16(),
        23: pa.int32(),
        700: pa.float32(),
        701: pa.float64(),
        1082: pa.date32(),
        1114: pa.timestamp("us"),
        1184: pa.timestamp("us", tz="UTC"),
    }.get(oid, pa.string())


def _plain(value: Any, kind: Any, pa: Any) -> Any:
    if value is None or kind != pa.string():
        return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _verify(target: Path, rows: int) -> None:
    _, pq = _arrow()
    with pq.ParquetFile(target) as file:
        there = sum(batch.num_rows for batch in file.iter_batches())
    if there != rows:
        raise PartitionNotExported(
            f"{target} holds {there} rows, and {rows} were written",
            hint="Nothing was dropped. Look at the disk, and run it again.",
        )


def _digest(target: Path) -> str:
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note(folder: Path, done: Exported) -> None:
    with (folder / MANIFEST).open("a", encoding="utf-8") as manifest:
        manifest.write(json.dumps(asdict(done)) + "\n")
        manifest.flush()
        os.fsync(manifest.fileno())


def _arrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as missing:
        raise PackageMissing(
            "Exporting a partition needs pyarrow", hint="Install it: pip install 'freehold[arrow]'."
        ) from missing
