"""Whatever is written, rotated, wrapped anew, forgotten and destroyed, in any order: a model agrees."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from freehold import Database
from freehold.errors import KeyDestroyed
from freehold.rooms.encryption.local_keys import LocalKeyFile
from freehold.rooms.encryption.rotation import destroy, rewrap, rotate
from freehold.rooms.encryption.runtime import cipher_of

from .conftest import Built
from .layer import Contact

TENANTS = [UUID(int=100 + number) for number in range(3)]
tenants, texts = (
    st.sampled_from(TENANTS),
    st.one_of(st.none(), st.text(max_size=8).filter(lambda text: "\x00" not in text)),
)


def test_state(built: Built, db: Database) -> None:
    class Machine(RuleBasedStateMachine):
        """Rows of each tenant by key, and who is destroyed; each run begins with new tenants."""

        def __init__(self) -> None:
            super().__init__()
            built.connection.execute("TRUNCATE shop.contact, freehold.data_key")
            for tenant in TENANTS:
                built.connection.execute("INSERT INTO shop.company VALUES (%s) ON CONFLICT DO NOTHING", (tenant,))
                self._forget(tenant)
            self.rows: dict[UUID, dict[UUID, str | None]] = {tenant: {} for tenant in TENANTS}
            self.destroyed: set[UUID] = set()
            self.version = 0

        def _forget(self, tenant: UUID) -> None:
            with db.transaction(tenant=tenant, actor="ann") as session:
                cipher_of(session).forget(tenant)

        @rule(tenant=tenants, mail=texts, number=st.integers(0, 3))
        def write(self, tenant: UUID, mail: str | None, number: int) -> None:
            key = UUID(int=number)
            try:
                with db.transaction(tenant=tenant, actor="ann") as session:
                    session.merge(Contact(tenant_id=tenant, id=key, mail=mail))
            except KeyDestroyed:
                assert tenant in self.destroyed
                return
            assert tenant not in self.destroyed or (mail is None and self.rows[tenant].get(key) is None)
            self.rows[tenant][key] = mail

        @rule(tenant=tenants, resume=st.booleans(), batch=st.integers(1, 3))
        def rotate(self, tenant: UUID, resume: bool, batch: int) -> None:
            try:
                found = rotate(
                    built.connection, built.layer, built.encryption, tenant=tenant, resume=resume, batch=batch
                )
            except KeyDestroyed:
                assert tenant in self.destroyed
            else:
                assert (found.left, found.unreadable) == (0, ())
                assert tenant not in self.destroyed

        @rule()
        def rewrap(self) -> None:
            provider: Any = built.encryption.provider
            assert isinstance(provider, LocalKeyFile)
            self.version += 1
            provider.add(f"{id(self)}.{self.version}")
            rewrap(built.connection, built.layer, built.encryption)

        @rule(tenant=tenants)
        def forget(self, tenant: UUID) -> None:
            self._forget(tenant)

        @rule(tenant=st.sampled_from(TENANTS[:1]))
        def destroy(self, tenant: UUID) -> None:
            destroy(built.connection, built.layer, tenant=tenant)
            self._forget(tenant)
            self.destroyed.add(tenant)

        @invariant()
        def everything_is_read(self) -> None:
            for tenant, rows in self.rows.items():
                try:
                    with db.transaction(tenant=tenant, actor="ann") as session:
                        found = {item.id: item.mail for item in session.scalars(sa.select(Contact))}
                except KeyDestroyed:
                    assert tenant in self.destroyed
                    continue
                assert found == rows
                assert tenant not in self.destroyed or not any(rows.values())

        @invariant()
        def search_agrees(self) -> None:
            for tenant in TENANTS[1:]:
                with db.transaction(tenant=tenant, actor="ann") as session:
                    cipher = cipher_of(session)
                    for wanted in {mail for mail in self.rows[tenant].values() if mail is not None}:
                        found = {item.id for item in cipher.find(session, Contact.mail, wanted)}
                        assert {key for key, mail in self.rows[tenant].items() if mail == wanted} <= found

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
        ),
    )
