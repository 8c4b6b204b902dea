"""The one error tree: every error has a stable code, and says what, where and what to do."""

from __future__ import annotations

from typing import ClassVar


class FreeholdError(Exception):
    """Base of every error that Freehold raises on purpose.

    Parameters
    ----------
    message
        One sentence: what is wrong, and where.
    detail
        The facts behind it: rows, names, the server's own words.
    hint
        What to do about it.
    """

    code: ClassVar[str] = "freehold"

    def __init__(self, message: str, *, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        parts = [f"{self.message} [{self.code}]"]
        if self.detail:
            parts.append(f"DETAIL: {self.detail}")
        if self.hint:
            parts.append(f"HINT: {self.hint}")
        return "\n".join(parts)


class DeclarationError(FreeholdError):
    """The declaration contradicts itself or the model."""

    code = "declaration.invalid"


class UnknownTable(DeclarationError):
    """A declaration names a table that the metadata does not hold."""

    code = "declaration.unknown-table"


class UnknownColumn(DeclarationError):
    """A declaration names a column that its table does not have."""

    code = "declaration.unknown-column"


class Contradiction(DeclarationError):
    """Two declarations say different things of the same table."""

    code = "declaration.contradiction"


class UnclassifiedTable(DeclarationError):
    """No declaration says who owns the rows of a table."""

    code = "tenancy.unclassified-table"


class TenantKeyMissing(DeclarationError):
    """A key of a tenant-owned table does not start with the tenant, so that it would reach across tenants."""

    code = "tenancy.key-without-tenant"


class CrossTenantForeignKey(DeclarationError):
    """A foreign key could point at another tenant's row."""

    code = "tenancy.cross-tenant-foreign-key"


class ServerError(FreeholdError):
    """A PostgreSQL server does not do what was asked of it."""

    code = "server.error"


class ServerDown(ServerError):
    """Nothing answers at the address."""

    code = "server.down"


class ServerNotStarted(ServerError):
    """A server that Freehold owns did not start."""

    code = "server.not-started"


class BinariesMissing(ServerError):
    """No PostgreSQL binaries of the kind that was asked for are installed."""

    code = "server.binaries-missing"


class ServerTooOld(ServerError):
    """The server's version is outside 15 to 18."""

    code = "server.unsupported-version"


class LoginRefused(ServerError):
    """Wrong password, unknown role or no entry in pg_hba.conf."""

    code = "server.login-refused"


class DatabaseMissing(ServerError):
    """The server has no database of that name."""

    code = "server.database-missing"


class PrivilegeMissing(ServerError):
    """The login lacks a privilege that the command needs."""

    code = "server.privilege-missing"


class ServerFull(ServerError):
    """The server's disk is full or read-only."""

    code = "server.no-space"


class ConnectionLost(ServerError):
    """The connection ended in the middle; what was not committed is rolled back."""

    code = "server.connection-lost"


class PlanError(FreeholdError):
    """A plan cannot be made or must not run."""

    code = "plan.invalid"


class DataViolates(PlanError):
    """Live rows violate a constraint that the plan would add."""

    code = "plan.data-violates"


class StepRefused(PlanError):
    """A step would lose data or weaken a guard, and its flag was not given."""

    code = "plan.step-refused"


class PlanStale(PlanError):
    """The database changed between plan and apply."""

    code = "plan.stale"


class JournalDamaged(PlanError):
    """Freehold's own tables in the database are not as it left them."""

    code = "journal.damaged"


class ApplyBusy(PlanError):
    """Another apply holds the advisory lock."""

    code = "apply.busy"


class LockTimeout(PlanError):
    """A step could not get its lock within the retries."""

    code = "apply.lock-timeout"


class StepFailed(PlanError):
    """The server refused a step."""

    code = "apply.step-failed"


class ContextError(FreeholdError):
    """The tenant context of a transaction is not valid; the statement saw no row."""

    code = "context.invalid"


class ContextMissing(ContextError):
    """No tenant context was bound (SQLSTATE FH001)."""

    code = "context.missing"


class ContextForged(ContextError):
    """The context is malformed or its signature does not fit (SQLSTATE FH002)."""

    code = "context.forged"


class ContextExpired(ContextError):
    """The context's time is over (SQLSTATE FH003)."""

    code = "context.expired"


class ContextReplayed(ContextError):
    """The context was issued for another backend (SQLSTATE FH004)."""

    code = "context.replayed"


class ContextKeyMissing(ContextError):
    """The application has no key to sign a context with, or the database does not know the key."""

    code = "context.key-missing"


class TransactionError(FreeholdError):
    """A transaction was used in a way that would break its promise."""

    code = "transaction.misused"


class CommitInside(TransactionError):
    """commit() or rollback() inside ``with db.transaction()``; the block itself ends the transaction."""

    code = "transaction.commit-inside"


class CommitRefused(TransactionError):
    """COMMIT was answered with ROLLBACK: nothing of the transaction is stored."""

    code = "transaction.commit-refused"


class CommitUnknown(TransactionError):
    """The connection was lost while COMMIT was under way: whether the transaction is stored is not known.

    ``token`` names the transaction where it ran under a key; any process can resolve it later with ``db.resolve``.
    """

    code = "transaction.commit-unknown"

    def __init__(self, message: str, *, detail: str = "", hint: str = "", token: str = "") -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.token = token


class CommittedNotDurable(TransactionError):
    """Committed on the primary; the wait for a synchronous standby was cut short."""

    code = "transaction.committed-not-durable"


class AfterCommitFailed(TransactionError):
    """The transaction is committed; a function that was to follow it failed."""

    code = "transaction.after-commit-failed"


class NestedTransaction(TransactionError):
    """A transaction inside a transaction asks for another tenant, actor or workload."""

    code = "transaction.nested"


class TransactionOver(TransactionError):
    """A transaction is used after it ended."""

    code = "transaction.over"


class OutcomeError(FreeholdError):
    """A keyed transaction has no outcome that could be used."""

    code = "outcome.invalid"


class KeyReused(OutcomeError):
    """The key was used before, for another request."""

    code = "outcome.key-reused"


class OutcomeAborted(OutcomeError):
    """The key was given up: a resolver settled that its transaction never commits."""

    code = "outcome.aborted"


class OutcomeLost(OutcomeError):
    """The transaction may have been committed, and a failover or restore has dropped it."""

    code = "outcome.lost"


class ResultNotStorable(OutcomeError):
    """The result of a keyed function cannot be stored for those who ask again."""

    code = "outcome.result-not-storable"


class PoolExhausted(FreeholdError):
    """No connection of the pool became free in time; the detail says who holds them."""

    code = "pool.exhausted"


class ReplicaError(FreeholdError):
    """A read cannot be served as fresh as was asked."""

    code = "replica.unavailable"


class PositionInvalid(ReplicaError):
    """A position token is malformed, forged, or of another cluster."""

    code = "replica.position-invalid"


class OutcomeError(FreeholdError):
    """The outcome of a keyed transaction cannot be kept; nothing of the transaction is stored."""

    code = "outcome.invalid"


class ResultTooLarge(OutcomeError):
    """A keyed function returned more than a stored result may hold (SQLSTATE FH020)."""

    code = "outcome.result-too-large"


class OutcomeTaken(OutcomeError):
    """The key has an outcome already: another call was first, or declared this one aborted (SQLSTATE FH021)."""

    code = "outcome.taken"


class OutcomeKeyInvalid(OutcomeError):
    """The key of an outcome is empty or longer than 512 bytes (SQLSTATE FH022)."""

    code = "outcome.key-invalid"


class UnsafeLogin(FreeholdError):
    """The application's login could step around row security."""

    code = "roles.unsafe-login"


class ReportStale(FreeholdError):
    """A report is older than its declared freshness, and the declaration says to fail."""

    code = "reports.stale"


class BackupError(FreeholdError):
    """A backup or restore did not do what it must."""

    code = "backup.failed"


class DrillFailed(BackupError):
    """A drill ended without its proof."""

    code = "backup.drill-failed"


class InputError(FreeholdError):
    """A file or value from the user cannot be used."""

    code = "input.invalid"


class SqlNotLiteral(FreeholdError):
    """SQL text of unknown origin; only literals in code, composed objects and reviewed exceptions run."""

    code = "sql.not-literal"


class ConfigError(FreeholdError):
    """An option is missing or has a value that cannot be used."""

    code = "config.invalid"
