"""The database backend: Django's own for PostgreSQL, with the scope's signed context in every transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from django.utils.functional import cached_property
from django.utils.module_loading import import_string
from psycopg.conninfo import make_conninfo

from freehold.errors import CommitUnknown, ContextForged
from freehold.events import Listener, ignore
from freehold.frameworks.django.connection import BindingCursor, ClientCursor, Connection, NamedCursor, beginner, learn
from freehold.frameworks.django.failures import ErrorWrapper
from freehold.kernel.template import read_sql
from freehold.layer import DataLayer
from freehold.runtime.connections import PACKAGE, PATIENCE
from freehold.runtime.context import LIFETIME, Backend, Context
from freehold.runtime.faults import Faults
from freehold.runtime.guard import login_question, refuse_unsafe, unknown_key
from freehold.runtime.keys import KeyRing
from freehold.runtime.pooler import PoolerFacts, recognise
from freehold.runtime.signer import Signer
from freehold.runtime.unit import Frame
from freehold.runtime.versions import check_versions
from freehold.runtime.watchdog import libpq_defaults
from freehold.runtime.workload import DEFAULT, Workload
from freehold.servers.faults import refused

OWN = ("layer", "keys", "lifetime", "workload", "listener")
ADDRESS = ("host", "port", "dbname", "user", "password", "service", "options", "sslmode", "sslrootcert")


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of Django.

    ``OPTIONS`` takes, besides libpq's: ``layer``, the data layer or the dotted path of one; ``keys``, the file of
    context keys (default: ``FREEHOLD_CONTEXT_KEYS``); ``lifetime`` of a context in seconds; ``workload``, a
    :class:`~freehold.runtime.workload.Workload` with isolation level and time limits; ``listener``, which is told the
    runtime's events.

    Inside ``transaction.atomic`` the context is bound with the first statement, in the same message as BEGIN. A
    statement outside is a transaction of its own. Nothing is left on the session, so that a transaction pooler may
    stand between.
    """

    display_name = "PostgreSQL under Freehold"

    @cached_property
    def wrap_database_errors(self) -> ErrorWrapper:
        """Django's translation of driver errors, with Freehold's before it."""
        return ErrorWrapper(self)

    @property
    def _own(self) -> Mapping[str, Any]:
        return {name: value for name, value in self.settings_dict["OPTIONS"].items() if name in OWN}

    @cached_property
    def layer(self) -> DataLayer:
        """The data layer of this database."""
        given = self._own.get("layer")
        found = import_string(given) if isinstance(given, str) else given
        if not isinstance(found, DataLayer):
            raise ImproperlyConfigured("Set OPTIONS['layer'] to a freehold.DataLayer, or to the dotted path of one.")
        return found

    @cached_property
    def faults(self) -> Faults:
        """What tells errors of the server in the layer's own words."""
        return Faults(self.layer.metadata.tables.values(), self.layer.tenant_columns, self.listener)

    @cached_property
    def listener(self) -> Listener:
        """What is told every event."""
        found: Listener = self._own.get("listener", ignore)
        return found

    @cached_property
    def signer(self) -> Signer:
        """What signs the contexts."""
        return Signer(KeyRing.find(self._own.get("keys")), self._own.get("lifetime", LIFETIME))

    @cached_property
    def workload(self) -> Workload:
        """Isolation level and time limits of every transaction."""
        found: Workload = self._own.get("workload", DEFAULT)
        return found

    def get_connection_params(self) -> dict[str, Any]:
        """libpq's parameters, and the cursors that begin transactions."""
        params: dict[str, Any] = super().get_connection_params()
        if "isolation_level" in self.settings_dict["OPTIONS"]:
            raise ImproperlyConfigured("Name the isolation level in OPTIONS['workload'] = Workload(...).")
        if self.settings_dict["OPTIONS"].get("pool"):
            raise ImproperlyConfigured("Use CONN_MAX_AGE, or a pooler such as PgBouncer, in place of OPTIONS['pool'].")
        bound = params["cursor_factory"] is base.ServerBindingCursor
        own = {"cursor_factory": BindingCursor if bound else ClientCursor}
        return {**libpq_defaults(), **{name: value for name, value in params.items() if name not in OWN}, **own}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        """Connect, or raise the typed error that says why not."""
        self.isolation_level = IsolationLevel.READ_COMMITTED
        try:
            connection = Connection.connect(**conn_params)
        except psycopg.OperationalError as error:
            address = {name: conn_params[name] for name in ADDRESS if name in conn_params}
            raise refused(error, make_conninfo(**address), PATIENCE) from error
        connection.statements.enabled = conn_params["prepare_threshold"] is not None
        return connection

    def init_connection_state(self) -> None:
        """Django's settings, then the checks of login and key; from here on every statement needs a scope."""
        connection: Connection = self.connection
        pooler = connection.wait(recognise(connection.pgconn))
        super().init_connection_state()
        if not pooler.prepared_statements:
            connection.statements.enabled = False
            connection.prepare_threshold = None
        connection.backend = _backend(connection, pooler)
        self.faults.watch(connection)
        check_versions(connection.server_version, [self.workload], self.layer.accepted_advisories, self.listener)
        self._check_login(connection)
        self._check_key(connection)
        frame = Frame(self.signer, {self.workload.name: self.workload}, self.faults, self.listener)
        connection.begin_as = beginner(frame, self.workload)

    def _check_login(self, connection: Connection) -> None:
        question = login_question(self.layer.name, self.layer.metadata.tables.values())
        refuse_unsafe(connection.execute(read_sql(PACKAGE, "read_login"), question).fetchall(), self.layer.name)

    def _check_key(self, connection: Connection) -> None:
        token = self.signer.token(Context("", "start-up"), connection.backend)
        try:
            connection.execute(read_sql(PACKAGE, "verify_context"), (token,))
        except psycopg.Error as error:
            raise (
                unknown_key(self.signer) if isinstance(self.faults.fault(error), ContextForged) else error
            ) from error

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor whose statements carry the scope."""
        if name is None:
            return super().create_cursor()
        make: Any = NamedCursor
        return make(self.connection, name, scrollable=False, withhold=False)

    def chunked_cursor(self) -> Any:
        """A named cursor inside a transaction; outside, rows are fetched whole: a held cursor would stay behind."""
        return super().chunked_cursor() if self.in_atomic_block else self.cursor()

    def is_usable(self) -> bool:
        """Whether the connection answers; asked for as nobody."""
        connection: Connection | None = self.connection
        if connection is None:
            return False
        begin_as, connection.begin_as = connection.begin_as, None
        try:
            return bool(super().is_usable())
        finally:
            connection.begin_as = begin_as

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]  # the stubs leave it out
        except CommitUnknown:
            # A rollback by atomic() would ask the next connection, and hide this.
            self._close()  # type: ignore[attr-defined]
            self.closed_in_transaction = True
            raise


def _backend(connection: Connection, pooler: PoolerFacts) -> Backend:
    before = time.time()
    pid, server = learn(connection)
    middle = (before + time.time()) / 2
    # A pooler may change the backend at the next transaction.
    return Backend(0 if pooler.pooled else pid, server - int(middle * 1_000_000))
