"""A session says whose transaction it is, for threads and under asyncio alike."""

from __future__ import annotations

from freehold import AsyncDatabase, AsyncSession, Session

from .conftest import WHO, Ledger


def test_an_asynchronous_session_says_what_the_other_says(ledger: Ledger) -> None:
    async def main(db: AsyncDatabase) -> None:
        for read_only in (False, True):
            async with db.transaction(**WHO, read_only=read_only) as session:
                assert session.read_only is read_only
                assert session.context is session.sync_session.context
                assert session.context.actor == "ana"

    ledger.run_async(main)


def test_every_property_has_a_twin() -> None:
    own = {name for name, value in vars(Session).items() if isinstance(value, property)} - {"handle", "names_tenant"}
    assert {name for name in own if name not in vars(AsyncSession)} == set()
