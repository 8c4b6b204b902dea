"""An application's way into its database: one call a transaction, with tenant and actor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from freehold.events import Listener, ignore
from freehold.runtime.block import Block
from freehold.runtime.body import Body
from freehold.runtime.context import LIFETIME
from freehold.runtime.core import CoreAttempt, CoreTransaction
from freehold.runtime.criteria import TenantColumns
from freehold.runtime.faults import Faults
from freehold.runtime.guard import check_key, check_login
from freehold.runtime.keys import KeyRing
from freehold.runtime.nodes import PRIMARY, Node, conninfo, open_node, primary_conninfo
from freehold.runtime.outcome import Claim, Settled
from freehold.runtime.pools import Pool
from freehold.runtime.reading import WAIT, Mode, Reading
from freehold.runtime.replica import Replica, check_position
from freehold.runtime.scope import UNSET
from freehold.runtime.session import Session
from freehold.runtime.signer import Signer
from freehold.runtime.statement import Compiler
from freehold.runtime.unit import Frame, Unit
from freehold.runtime.versions import check_versions
from freehold.runtime.waits import BLOCKING
from freehold.runtime.workload import Workload, by_name

P = ParamSpec("P")
R = TypeVar("R")


def check(connection: sa.Connection, layer_name: str, tables: tuple[sa.Table, ...], signer: Signer) -> None:
    """Refuse an unsafe login and a key that the database does not know."""
    check_login(connection, layer_name, tables)
    check_key(connection, signer)


class Database:
    """One database, as the application's role.

    >>> with db.transaction(tenant=tenant, actor="ana") as session:  # doctest: +SKIP
    ...     session.add(Customer(name="Ada"))
    """

    def __init__(self, body: Body, tenant_columns: TenantColumns, replicas: Sequence[Replica] = ()) -> None:
        self._body = body
        self._reading = Reading(body, replicas)
        self._tenant_columns = tenant_columns
        self._compiler = Compiler(tenant_columns)

    @classmethod
    def connect(
        cls,
        url: str | sa.URL,
        *,
        layer_name: str,
        tenant_columns: TenantColumns,
        tables: tuple[sa.Table, ...] = (),
        keys: KeyRing | str | os.PathLike[str] | None = None,
        lifetime: float = LIFETIME,
        workloads: Sequence[Workload] = (),
        pools: Sequence[Pool] = (),
        replicas: Sequence[str | sa.URL] = (),
        listener: Listener = ignore,
        positions: bool = False,
        accepted: Mapping[str, str] | None = None,
        info: Mapping[str, Any] | None = None,
        **engine_options: Any,
    ) -> Database:
        """Connect and check login and key.

        Parameters
        ----------
        url
            Any PostgreSQL URL, libpq's own with several hosts among them: the one that takes writes is used, unless
            ``target_session_attrs`` says otherwise. Row security must hold for the login.
        layer_name
            The data layer's name, which begins its roles' names.
        tenant_columns
            The tenant column of each tenant-owned table, the root's primary key among them.
        tables
            Further tables of the layer that the login must not own.
        keys
            A key ring, the path of a file of mode 0600, or None for the variable ``FREEHOLD_CONTEXT_KEYS``.
        lifetime
            Seconds for which a context is valid before its transaction begins.
        workloads
            Named classes of transactions, beside "default" and "bulk".
        pools
            Pools beside the main one, which ``pool_size`` and the like describe.
        replicas
            URLs of streaming replicas, for :meth:`read`. Each is connected at its first use, with pools as the primary
            has them; one that cannot be reached is left alone for a while. The layer must declare ``Outcomes()``.
        listener
            Told every event of the runtime.
        positions
            Ask for the position in the log after each COMMIT, so that ``session.position`` is there; always done where
            there are replicas.
        accepted
            Advisories that the layer's ``Versions`` accepts, with the reasons; None where it declares none.
        info
            What every session finds in its ``info``.
        engine_options
            Options of `sqlalchemy.create_engine`.

        Raises
        ------
        UnsafeLogin, ContextKeyMissing, ServerDown, LoginRefused, VersionRefused
        """
        faults = Faults((*tenant_columns, *tables), tenant_columns, listener)
        signer, asked = Signer(KeyRing.find(keys), lifetime), positions or bool(replicas)
        frame = Frame(signer, by_name(workloads), faults, listener, BLOCKING, asked, info=info or {})
        checked = partial(check, layer_name=layer_name, tables=(*tenant_columns, *tables), signer=signer)
        opened = partial(open_node, pools=(Pool(), *pools), options=engine_options, faults=faults, listener=listener)
        node = opened(PRIMARY, primary_conninfo(url))
        others = [Replica(opened(f"replica {n}", conninfo(each)), checked) for n, each in enumerate(replicas, 1)]
        try:
            with node.engine.connect() as connection:
                checked(connection)
                link: Any = connection.connection.driver_connection
                check_versions(link.server_version, frame.workloads.values(), accepted, listener)
                if asked:
                    check_position(connection)
        except BaseException:
            node.close()
            raise
        return cls(Body(frame, node), tenant_columns, others)

    @property
    def engine(self) -> sa.Engine:
        """The engine over the main pool; what runs on it alone has no context, and so sees no tenant's row."""
        return self._body.primary.engine

    @property
    def positions(self) -> bool:
        """Whether each COMMIT tells its position in the log."""
        return self._body.frame.positions

    def transaction(
        self,
        *,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        read_only: bool = False,
    ) -> Block[Session]:
        """One transaction: committed when the block ends, rolled back when an exception leaves it.

        Parameters
        ----------
        tenant
            Whose rows are reached; None for shared tables alone; what :class:`acting` says where it is not given.
        actor
            Who acts, as history and audit record it.
        workload
            The name of its class of transactions.
        read_only
            Let the server refuse every write.
        """
        return Block(lambda: self._session(self._unit(tenant, actor, workload, read_only)))

    def core(
        self, *, tenant: Any = UNSET, actor: Any = UNSET, workload: str = "default", read_only: bool = False
    ) -> Block[CoreTransaction]:
        """One transaction on the fast path, for SQLAlchemy Core; see :class:`CoreTransaction`."""
        return Block(lambda: self._core(self._unit(tenant, actor, workload, read_only)))

    def run(
        self,
        function: Callable[..., R],
        *arguments: Any,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        key: str | None = None,
        request: Any = None,
        **options: Any,
    ) -> R:
        """Run a function in a transaction, again after a conflict, and exactly once under a key.

        Parameters
        ----------
        function
            Called with the session and the arguments; called anew for each attempt, so that it reads and decides anew.
        key
            Names the transaction for good: the same key never does its work twice, and gives the stored result.
        request
            What was asked for under the key; the same key with another request is refused.

        Raises
        ------
        CommitUnknown
            A COMMIT was not answered: without a key at once, with a key where its outcome cannot be learned now.
        KeyReused
            The key was used for another request.
        """
        wanted = self._body.wanted(tenant, actor, workload)
        claim = Claim.of(key, request) if key is not None else None
        found: R = self._body.run(self._session, _called(function, options), arguments, wanted, claim)
        return found

    def run_core(
        self,
        function: Callable[..., R],
        *arguments: Any,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        key: str | None = None,
        request: Any = None,
        **options: Any,
    ) -> R:
        """:meth:`run` on the fast path.

        The question whether the key has an outcome travels with the first statement: of a function that was carried out
        before, what stands in front of its first statement runs again, and nothing behind it.
        """
        wanted = self._body.wanted(tenant, actor, workload)
        claim = Claim.of(key, request) if key is not None else None
        found: R = self._body.run(self._core, _called(function, options), arguments, wanted, claim)
        return found

    @contextmanager
    def read(
        self,
        *,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        max_staleness: float | None = None,
        after: str | None = None,
        mode: Mode = "session",
        wait: float = WAIT,
    ) -> Iterator[Session]:
        """A read-only transaction on a replica that is fresh enough, and else on the primary.

        Blocks of mode "session" are not snapshot isolated against each other or against the primary's transactions:
        two readers on two servers may see two commits in opposite orders ("long fork"), with synchronous replication
        too. Each block alone is what its workload's isolation says, and a repeatable read where that is serializable.

        Parameters
        ----------
        max_staleness
            Seconds: everything committed before is seen. None for any age. It is proved by places in the log that the
            primary was at, not by the replica's clock.
        after
            The position token of what must be seen at least: ``session.position`` of an earlier write or read.
        mode
            "session", as above, or "snapshot": one snapshot of the primary, isolated against all its transactions.
        wait
            Seconds in which a replica may catch up, before the primary is asked.

        Raises
        ------
        PositionInvalid
            The token is forged, malformed, or of another cluster.
        ReplicaError
            The only primary in reach is older than the token: it was the primary once.
        """
        wish = self._reading.wish(max_staleness, after, mode, wait)
        unit = self._reading.unit(self._body.wanted(tenant, actor, workload), wish)
        session = self._reading.open(self._session, unit, wish)
        assert isinstance(session, Session)
        with self._reading.noting(session), Block[Session](lambda: session):
            yield session

    @contextmanager
    def read_core(
        self,
        *,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        max_staleness: float | None = None,
        after: str | None = None,
        mode: Mode = "session",
        wait: float = WAIT,
    ) -> Iterator[CoreTransaction]:
        """:meth:`read` on the fast path."""
        wish = self._reading.wish(max_staleness, after, mode, wait)
        unit = self._reading.unit(self._body.wanted(tenant, actor, workload), wish)
        attempt = self._reading.open(self._core, unit, wish)
        with self._reading.noting(attempt), Block[CoreTransaction](lambda: attempt) as handle:
            yield handle

    def run_read(
        self,
        function: Callable[..., R],
        *arguments: Any,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        max_staleness: float | None = None,
        after: str | None = None,
        mode: Mode = "session",
        wait: float = WAIT,
        **options: Any,
    ) -> R:
        """Run a function in a :meth:`read`, again on another server after a conflict or a loss.

        Inside a :meth:`run` it joins that transaction.
        """
        wish = self._reading.wish(max_staleness, after, mode, wait)
        wanted = self._reading.wanted(self._body.wanted(tenant, actor, workload), wish)
        attempts = self._reading.attempts(self._session, wish)
        found: R = self._body.run(attempts, _called(function, options), arguments, wanted, None)
        return found

    def transactional(
        self, *, workload: str = "default"
    ) -> Callable[[Callable[Concatenate[Session, P], R]], Callable[P, R]]:
        """Decorate a function whose first parameter is the session: a call of it is a call of :meth:`run`.

        Tenant and actor come from :class:`~freehold.runtime.scope.acting`.
        """

        def decorate(function: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
            @wraps(function)
            def call(*arguments: P.args, **options: P.kwargs) -> R:
                wanted = self._body.wanted(UNSET, UNSET, workload)
                found: R = self._body.run(self._session, _called(function, options), arguments, wanted, None)
                return found

            return call

        return decorate

    def resolve(self, token: str) -> Settled:
        """What became of the transaction of a :class:`CommitUnknown` error; any process of the application may ask.

        Raises
        ------
        OutcomeError
            It is no token.
        """
        tenant, claim = Claim.from_token(token)
        return self._body.settling.settle(claim, tenant)

    def dispose(self) -> None:
        """Close every connection."""
        self._body.primary.close()
        self._reading.dispose()

    def _unit(self, tenant: Any, actor: Any, workload: str, read_only: bool) -> Unit:
        return self._body.unit(self._body.wanted(tenant, actor, workload, read_only=read_only))

    def _session(self, unit: Unit, node: Node | None = None) -> Session:
        engine = (node or self._body.primary).pool(unit.workload.pool)
        info = dict(unit.frame.info)
        return Session(engine, unit=unit, tenant_columns=self._tenant_columns, expire_on_commit=False, info=info)

    def _core(self, unit: Unit, node: Node | None = None) -> CoreAttempt:
        lease = (node or self._body.primary).lend(unit.workload.pool)
        return CoreAttempt.on(CoreTransaction, unit, self._compiler, lease)


def _called(function: Callable[..., R], options: Any) -> Callable[..., R]:
    return (lambda *arguments: function(*arguments, **options)) if options else function
