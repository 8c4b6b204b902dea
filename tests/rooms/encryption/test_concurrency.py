"""Many at once: first writers of one tenant, writers beside a rotation, asyncio, and a bounded cache."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from uuid import UUID

import sqlalchemy as sa

from freehold import Database
from freehold.rooms.encryption import Encryption
from freehold.rooms.encryption.rotation import rotate
from freehold.rooms.encryption.runtime import Cipher, cipher_of

from .conftest import RING, Built
from .layer import ONE, TWO, Contact


def test_the_first_writers_of_a_tenant_share_one_key(built: Built, db: Database) -> None:
    together = Barrier(6)

    def write(number: int) -> None:
        together.wait()
        with db.transaction(tenant=ONE, actor="ann") as session:
            session.add(Contact(mail=f"{number}@example.org", phone=str(number)))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    keys = built.connection.execute("SELECT purpose, count(*) FROM freehold.data_key GROUP BY 1 ORDER BY 1").fetchall()
    assert keys == [("data", 1), ("index", 1)]
    with db.transaction(tenant=ONE, actor="ann") as session:
        found = session.scalars(sa.select(Contact)).all()
        assert sorted(str(item.mail) for item in found) == [f"{number}@example.org" for number in range(6)]


def test_a_writer_beside_a_rotation_loses_nothing(built: Built, db: Database) -> None:
    with db.transaction(tenant=ONE, actor="ann") as session:
        session.add_all([Contact(id=UUID(int=n + 1), mail="0", phone="p") for n in range(60)])
    done, last = Event(), {UUID(int=n + 1): "0" for n in range(60)}

    def write() -> None:
        turn = 0
        while not done.is_set() or turn < 20:
            turn += 1
            key = UUID(int=turn % 60 + 1)
            with db.transaction(tenant=ONE, actor="ann") as session:
                session.get_one(Contact, (ONE, key)).mail = str(turn)
            last[key] = str(turn)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            for _ in range(3):
                rotate(built.connection, built.layer, built.encryption, tenant=ONE, batch=3)
        finally:
            done.set()
        writing.result()
    assert rotate(built.connection, built.layer, built.encryption, tenant=ONE, resume=True).left == 0
    with db.transaction(tenant=ONE, actor="ann") as session:
        assert {item.id: item.mail for item in session.scalars(sa.select(Contact))} == last


def test_under_asyncio(built: Built) -> None:
    async def work() -> str | None:
        db = await built.layer.connect_async(built.url, keys=RING, encryption=built.encryption)
        async with db.transaction(tenant=ONE, actor="ann") as session:
            session.add(Contact(mail="a@example.org"))
        async with db.transaction(tenant=ONE, actor="ann") as session:
            found = await session.run_sync(lambda s: cipher_of(s).find(s, Contact.mail, "A@example.org"))
        await db.dispose()
        return str(found[0].mail)

    assert asyncio.run(work()) == "a@example.org"


def test_the_cache_is_bounded_in_number_and_age(built: Built) -> None:
    encryption = replace(built.encryption, keys=4)
    db = built.layer.connect(built.url, keys=RING, encryption=encryption)
    for tenant in (ONE, TWO) * 3:
        with db.transaction(tenant=tenant, actor="ann") as session:
            session.add(Contact(mail="a@example.org"))
            session.flush()
            session.expire_all()
            assert {item.mail for item in session.scalars(sa.select(Contact))} == {"a@example.org"}
            assert len(cipher_of(session).keys) <= 4
    db.dispose()
    brief = Cipher(built.layer, Encryption(encryption.provider, seconds=1e-9))
    engine = sa.create_engine("postgresql+psycopg://", creator=built.place.connect, poolclass=sa.NullPool)
    with sa.orm.Session(engine) as session:
        brief.attach(session)
        assert {item.mail for item in session.scalars(sa.select(Contact))} == {"a@example.org"}
