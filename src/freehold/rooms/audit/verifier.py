"""The verifier: entries, seals and anchor against each other, trusting nothing that the database computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from freehold.rooms.audit.anchor import Anchor, Seal
from freehold.rooms.audit.keys import key_id, signed_by
from freehold.rooms.audit.merkle import leaf, root
from freehold.rooms.audit.sealing import NOTHING, WIDTH, Connection, entries, query, seals, snapshot, statement_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong: where (a seal's number, 0 for none; an entry's number where one is known), and what."""

    seal: int
    entry: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What a verification has read, and what it found, the first fault first."""

    seals: int
    entries: int
    unanchored: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify(connection: Connection, anchor: Anchor, keys: Sequence[Ed25519PublicKey]) -> Judged:
    """Judge every sealed entry, on one snapshot.

    Found are entries that were altered, removed, added or renumbered; seals that were altered, removed, put in or
    signed by another; a rewritten whole; and a tail that was cut off, by what the anchor knows. Entries that no seal
    holds yet are not judged.

    Parameters
    ----------
    connection
        In autocommit mode, as one who may read both tables.
    anchor
        Where seals are kept outside the database.
    keys
        The public keys that may have signed.
    """
    with snapshot(connection):
        there, known = seals(connection), anchor.read()
        findings = [*_chain(known, keys, "the anchor"), *_compared(there, known), *_chain(there, keys, "the database")]
        count = 0
        for found in known or there:
            read, wrong = _entries(connection, found, found in there)
            count += read
            findings += wrong
    ordered = tuple(dict.fromkeys(sorted(findings, key=lambda each: (each.seal, each.entry is None, each.entry or 0))))
    return Judged(len(there), count, max(0, len(there) - len(known)), ordered)


def _chain(chain: Sequence[Seal], keys: Sequence[Ed25519PublicKey], where: str) -> Iterator[Finding]:
    """Numbers, links and signatures."""
    by_id = {key_id(key): key for key in keys}
    previous, reached = NOTHING, "0"
    for number, found in enumerate(chain, 1):
        try:
            said = statement_of(found)
            linked = said["previous"] == previous and said["from"] == reached
            reached, key = str(said["to"]), by_id.get(said["key"])
        except (ValueError, KeyError, TypeError):
            yield Finding(number, None, f"the seal in {where} cannot be read")
            return
        if found.number != number or said["number"] != number or not linked:
            yield Finding(number, None, f"the seal in {where} does not follow the one before it: one is gone or put in")
            return
        if key is None or not _signed(key, found):
            yield Finding(number, None, f"the seal in {where} is not signed by a known key")
        previous = leaf(found.statement.encode()).hex()


def _signed(key: Ed25519PublicKey, found: Seal) -> bool:
    return signed_by(key, found.statement.encode(), found.signature)


def _compared(there: Sequence[Seal], known: Sequence[Seal]) -> Iterator[Finding]:
    for number, (own, anchored) in enumerate(zip_longest(there, known), 1):
        if own is None:
            yield Finding(number, None, "the anchor knows a seal that the database has not: its tail was cut off")
        elif anchored is not None and own != anchored:
            yield Finding(number, None, "the seal is not the anchored one: rewritten, or a fork")


def _entries(connection: Connection, found: Seal, stored: bool) -> tuple[int, list[Finding]]:
    """The entries of one seal; what each was is told by the seal's leaves, which the signed root vouches for."""
    try:
        said = statement_of(found)
        low, high, wanted = str(int(said["from"])), str(int(said["to"])), str(said["root"])
    except (ValueError, KeyError, TypeError):
        return 0, []
    now = list(entries(connection, low, high))
    if root(hashed for _, hashed in now).hex() == wanted and len(now) == said["entries"]:
        return len(now), []
    then = _leaves(connection, found.number) if stored else []
    if root(hashed for _, hashed in then).hex() != wanted:
        return len(now), [Finding(found.number, None, "entries were altered, and the seal's leaves with them")]
    return len(now), [_first(found.number, then, now)]


def _leaves(connection: Connection, number: int) -> list[tuple[int, bytes]]:
    row = connection.execute(query("list_leaves"), (number,)).fetchone()
    kept = bytes(row[0]) if row else b""
    cut = (kept[at : at + WIDTH] for at in range(0, len(kept), WIDTH))
    return [(int.from_bytes(piece[:8], "big"), piece[8:]) for piece in cut]


def _first(seal: int, then: list[tuple[int, bytes]], now: list[tuple[int, bytes]]) -> Finding:
    at = next((i for i, pair in enumerate(zip_longest(then, now)) if pair[0] != pair[1]), 0)
    was, is_ = then[at : at + 1], now[at : at + 1]
    left, known = {number for number, _ in now}, {number for number, _ in then}
    if was and (not is_ or was[0][0] not in left):
        return Finding(seal, was[0][0], "the entry is gone")
    if is_ and is_[0][0] not in known:
        return Finding(seal, is_[0][0], "the entry was added after the seal")
    if was and is_ and was[0][0] == is_[0][0]:
        return Finding(seal, was[0][0], "the entry was altered")
    return Finding(seal, (was or is_)[0][0], "the entry was moved")
