"""A tenant's copy for development: under another id if wanted, declared columns masked, without keys and messages."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from freehold.errors import InputError
from freehold.kernel.compile import Declared
from freehold.kernel.declare import holds_ciphertext, name_of
from freehold.rooms.tenants.archive import Manifest
from freehold.rooms.tenants.declare import Mask, Masked
from freehold.rooms.tenants.exporter import export_tenant
from freehold.rooms.tenants.importer import import_tenant
from freehold.rooms.tenants.live import Connection, Live, check_tenant
from freehold.rooms.tenants.owned import Owned

NULL = b"\\N"
ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_SPECIAL = re.compile(rb"[\\\b\f\n\r\t\v]")
_WRITTEN = {value: b"\\" + letter for letter, value in ESCAPES.items()} | {b"\\": b"\\\\"}


def clone_tenant(
    source: Connection, target: Connection, declared: Declared, tenant: str, *, as_tenant: str = ""
) -> Manifest:
    """Copy a tenant into another database with its declared columns masked.

    The model's tables and what keeps their past and deleted rows are copied. Data keys, outcomes, messages and entries
    of the audit stay behind, so that encrypted columns cannot be read there; reports are computed there anew. A value
    is replaced by the same one wherever it stands, under a key that is made for this clone and forgotten.

    Parameters
    ----------
    source, target
        Administrators' connections, outside transactions; the target's is a superuser's.
    as_tenant
        The id that the clone gets; empty keeps it.

    Raises
    ------
    InputError
        Nothing is masked, or an encrypted column is not: its ciphertext would be copied, and its blind index tells
        equal values.
    TenantUnknown, TenantExists, ShapeChanged, TenantIncomplete
        As an export and an import do.
    """
    if as_tenant:
        check_tenant(source, as_tenant, declared.model.tenant_type)
    masks = _masks(declared)
    _refuse_revealing(declared, masks)
    key = secrets.token_bytes(32)

    def rewrite(owned: Owned, columns: tuple[Live, ...], pieces: Iterator[bytes]) -> Iterator[bytes]:
        changes = _changes(owned, columns, masks, key, as_tenant)
        return _rewritten(pieces, changes) if changes else pieces

    with tempfile.TemporaryDirectory(prefix="freehold-") as folder:
        path = Path(folder) / "clone.zip"
        export_tenant(
            source,
            declared,
            tenant,
            path,
            rewrite=rewrite,
            leave_out=lambda owned: owned.role not in ("root", "model", "history"),
            written_as=as_tenant,
            action="clone",
        )
        return import_tenant(target, declared, path).manifest


Change = Callable[[bytes], bytes]


def _refuse_revealing(declared: Declared, masks: Mapping[tuple[str, str], Mapping[str, Mask | None]]) -> None:
    if not masks:
        raise InputError(
            "The layer masks nothing, so that a clone would show everything",
            hint="Declare what a copy may not show: Masked(Contact, name=…). For a whole copy, export and import.",
        )
    revealed = [
        f"{table.name}.{column.name}"
        for table in declared.model.metadata.sorted_tables
        for column in table.columns
        if holds_ciphertext(column) and column.name not in masks.get(name_of(table), {})
    ]
    if revealed:
        raise InputError(
            f"A clone would carry what is encrypted: {', '.join(revealed)}",
            detail="The keys stay behind, so that nobody could read it there.",
            hint="Leave NULL in its place: Masked(Contact, email=None, email_blind=None).",
        )


def _masks(declared: Declared) -> Mapping[tuple[str, str], Mapping[str, Mask | None]]:
    found: dict[tuple[str, str], dict[str, Mask | None]] = {}
    for rule in declared.model.declarations:
        if isinstance(rule, Masked):
            found.setdefault(rule.table, {}).update(rule.columns)
    return found


def _changes(
    owned: Owned,
    columns: tuple[Live, ...],
    masks: Mapping[tuple[str, str], Mapping[str, Mask | None]],
    key: bytes,
    as_tenant: str,
) -> dict[int, Change]:
    """What happens to each field, by its place."""
    base = owned.table.facts.of or owned.name
    wanted = masks.get((base[0], base[1]), {})
    changes: dict[int, Change] = {}
    for place, column in enumerate(columns):
        if column.name == owned.column and as_tenant:
            changes[place] = lambda _: as_tenant.encode()
        elif column.name in wanted:
            changes[place] = _masking(wanted[column.name], key, ".".join((*base, column.name)))
    return changes


def _masking(mask: Mask | None, key: bytes, place: str) -> Change:
    def change(field: bytes) -> bytes:
        if mask is None or field == NULL:
            return NULL
        text = _ESCAPED.sub(lambda found: ESCAPES.get(found[1], found[1]), field).decode()
        digest = hmac.digest(key, f"{place}\0{text}".encode(), hashlib.sha256)
        return _SPECIAL.sub(lambda found: _WRITTEN[found[0]], mask(text, digest).encode())

    return change


def _rewritten(pieces: Iterator[bytes], changes: Mapping[int, Change]) -> Iterator[bytes]:
    """Line by line; COPY writes a line feed or a tab inside a value as an escape."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            fields = line.split(b"\t")
            for place, change in changes.items():
                fields[place] = change(fields[place])
            yield b"\t".join(fields) + b"\n"
