"""The one error tree: every error has a stable code, and says what, where and what to do."""

from __future__ import annotations

from typing import Any, ClassVar


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
    retryable: ClassVar[bool] = False
    """Whether the same transaction may succeed when it is run again from its start."""

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
    retryable = True


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


class TooManyConnections(ServerDown):
    """Every connection that the server, the database or the role may have is taken (SQLSTATE 53300)."""

    code = "server.too-many-connections"


class ServerFull(ServerError):
    """The server's disk is full or read-only."""

    code = "server.no-space"


class ServerReadOnly(ServerFull):
    """A write met a server that takes none (SQLSTATE 25006): it is a replica, or its disk is read-only."""

    code = "server.read-only"
    retryable = True


class ConnectionLost(ServerError):
    """The connection ended in the middle; what was not committed is rolled back."""

    code = "server.connection-lost"
    retryable = True


class PeerDead(ConnectionLost):
    """The server, or the way to it, fell silent; the watchdog ended the connection that waited for it."""

    code = "server.peer-dead"


class VersionRefused(ServerError):
    """The server has a known defect that makes a declared promise false, and nobody accepted it by name."""

    code = "server.version-refused"


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


class PlanForeign(PlanError):
    """A plan names another database than the one that it is to be applied to."""

    code = "plan.other-database"


class RehearsalStale(PlanError):
    """The live database is not what was rehearsed."""

    code = "rehearsal.stale"


class RevisionRefused(PlanError):
    """The plan cannot be written as a revision of Alembic."""

    code = "revision.refused"


class UndoRefused(PlanError):
    """The plan that was applied last cannot be taken back any more."""

    code = "undo.refused"


class JournalDamaged(PlanError):
    """Freehold's own tables in the database are not as it left them."""

    code = "journal.damaged"


class AdoptionRefused(PlanError):
    """The database cannot be adopted: it is empty, has a layer already, or its first plan would not be empty."""

    code = "adopt.refused"


class ApplyBusy(PlanError):
    """Another apply holds the advisory lock."""

    code = "apply.busy"


class LockTimeout(PlanError):
    """A step could not get its lock within the retries."""

    code = "apply.lock-timeout"


class StepFailed(PlanError):
    """The server refused a step."""

    code = "apply.step-failed"


class RowsRefused(StepFailed):
    """Rows cannot be brought into the new shape; the old shape stays with all of them."""

    code = "apply.rows-refused"


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


class TransactionBusy(TransactionError):
    """Two calls are made at once on one transaction, from two tasks or threads."""

    code = "transaction.busy"


class TransactionOver(TransactionError):
    """A transaction is used after it ended."""

    code = "transaction.over"


class TransactionAborted(TransactionError):
    """The server ended a statement or the transaction; nothing of the transaction is stored."""

    code = "transaction.aborted"


class TransactionTimeout(TransactionAborted):
    """A transaction took longer than its workload allows (SQLSTATE 25P04 from PostgreSQL 17 on)."""

    code = "transaction.timeout"


class IdleTimeout(TransactionAborted):
    """A transaction was left idle for longer than its workload allows (SQLSTATE 25P03)."""

    code = "transaction.idle-timeout"


class QueryCancelled(TransactionAborted):
    """A statement was cancelled, by a person, by the server or by its own time limit (SQLSTATE 57014)."""

    code = "transaction.cancelled"


class StatementTimeout(QueryCancelled):
    """A statement took longer than its workload allows (SQLSTATE 57014, after the limit)."""

    code = "transaction.statement-timeout"


class LockNotAvailable(TransactionAborted):
    """A lock did not become free in time, or NOWAIT did not want to wait (SQLSTATE 55P03)."""

    code = "transaction.lock-timeout"


class TransactionConflict(TransactionAborted):
    """Concurrent transactions got in each other's way; run again from its start, this one may succeed."""

    code = "transaction.conflict"
    retryable = True


class SerializationFailed(TransactionConflict):
    """The isolation level cannot be kept beside a concurrent transaction (SQLSTATE 40001)."""

    code = "transaction.serialization-failure"


class ReplicaConflict(TransactionConflict):
    """A replica had to replay what the transaction was still reading (SQLSTATE 40001 or 40P01 on a standby)."""

    code = "transaction.replica-conflict"


class Deadlock(TransactionConflict):
    """Two transactions waited for each other's locks, and this one was ended (SQLSTATE 40P01)."""

    code = "transaction.deadlock"


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


class StatementFailed(FreeholdError):
    """The server refused a statement; message and detail hold names, and never a value from a row or a parameter.

    ``sqlstate`` tells the kind more finely than the class does.
    """

    code = "statement.failed"

    def __init__(self, message: str, *, detail: str = "", hint: str = "", sqlstate: str = "") -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.sqlstate = sqlstate


class PlanChanged(StatementFailed):
    """A prepared statement's result has other columns than before: the table was altered meanwhile (SQLSTATE 0A000)."""

    code = "statement.plan-changed"
    retryable = True


class ReadOnly(StatementFailed):
    """A write inside a transaction that was begun as read-only (SQLSTATE 25006)."""

    code = "statement.read-only"


class RowRefused(StatementFailed):
    """A row to be written belongs to another tenant than the transaction does (SQLSTATE 42501 from row security)."""

    code = "tenancy.row-refused"


class DataRefused(StatementFailed):
    """A value cannot be stored (SQLSTATE class 22 or 23)."""

    code = "data.invalid"


class NumericOutOfRange(DataRefused):
    """A number is too large for its column's type, or has too many digits (SQLSTATE 22003)."""

    code = "data.out-of-range"


class TextInvalid(DataRefused):
    """A text is not one of its type, such as a uuid or a date (SQLSTATE 22P02, 22007, 22008, 22021)."""

    code = "data.invalid-text"


class StringTooLong(DataRefused):
    """A text is longer than its column allows (SQLSTATE 22001)."""

    code = "data.too-long"


class ConstraintViolated(DataRefused):
    """A row violates a constraint.

    Parameters
    ----------
    constraint
        Its name, or "" where it has none.
    table
        ``schema.table`` of the row.
    columns
        The constraint's columns that are the application's; the tenant's is not among them.
    """

    code = "data.constraint"

    def __init__(
        self,
        message: str,
        *,
        detail: str = "",
        hint: str = "",
        sqlstate: str = "",
        constraint: str = "",
        table: str = "",
        columns: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, detail=detail, hint=hint, sqlstate=sqlstate)
        self.constraint = constraint
        self.table = table
        self.columns = columns


class UniqueViolated(ConstraintViolated):
    """Another row has the same key (SQLSTATE 23505)."""

    code = "data.duplicate"


class ForeignKeyViolated(ConstraintViolated):
    """The row refers to one that is not there, or others still refer to it (SQLSTATE 23503, 23001)."""

    code = "data.reference"


class CheckViolated(ConstraintViolated):
    """The row does not satisfy a condition of its table or domain (SQLSTATE 23514)."""

    code = "data.check"


class PartitionMissing(CheckViolated):
    """A table that is cut by time has no partition for a row: it is too old, or too far ahead."""

    code = "data.partition"


class NotNullViolated(ConstraintViolated):
    """A value is missing (SQLSTATE 23502)."""

    code = "data.null"


class ExclusionViolated(ConstraintViolated):
    """The row conflicts with another one, such as by overlapping it in time (SQLSTATE 23P01)."""

    code = "data.excluded"


class TransitionRefused(ConstraintViolated):
    """A status may not become what it was to become; the detail says from where to where (SQLSTATE FH090)."""

    code = "data.transition"


class RowHeld(ConstraintViolated):
    """A declared `LegalHold` keeps the row; the detail gives its reason (SQLSTATE FH110)."""

    code = "data.held"


class KeyChanged(ConstraintViolated):
    """A row whose versions are found by its key may not get another key (SQLSTATE FH100)."""

    code = "data.key"


class OutOfBalance(ConstraintViolated):
    """At COMMIT a group of rows does not sum to zero; nothing is stored (SQLSTATE FH091)."""

    code = "data.balance"


class LimitReached(ConstraintViolated):
    """The parent has as many rows as it may have (SQLSTATE FH092)."""

    code = "data.limit"


class DerivedRefused(ConstraintViolated):
    """A derived column is written by hand (SQLSTATE FH093), its source truncated (FH094), or not finite (FH095)."""

    code = "data.derived"


class DocumentInvalid(ConstraintViolated):
    """A JSON document violates the schema of its column (SQLSTATE FH050), or is nested too deeply (FH051).

    Parameters
    ----------
    pointer
        The JSON pointer (RFC 6901) of what is refused; ``*`` stands for a property that the schema does not name, whose
        name is data. A missing property is pointed to as well.
    keyword
        The keyword of JSON Schema that refuses it, ``version`` for a version that is not declared, or ``depth``.
    """

    code = "data.document"

    def __init__(self, message: str, *, pointer: str = "", keyword: str = "", **known: Any) -> None:
        super().__init__(message, **known)
        self.pointer = pointer
        self.keyword = keyword


class RestoreConflict(ConstraintViolated):
    """A deleted row cannot come back: a live one has taken its key."""

    code = "soft-delete.key-taken"


class ParentMissing(ConstraintViolated):
    """A deleted row cannot come back: what it refers to is not there."""

    code = "soft-delete.parent-missing"


class SoftDeleteError(FreeholdError):
    """A deleted row cannot be kept or restored."""

    code = "soft-delete.failed"


class TruncateRefused(SoftDeleteError):
    """A TRUNCATE would lose rows that are to be kept."""

    code = "soft-delete.truncate-refused"


class DeletedRowMissing(SoftDeleteError):
    """No deleted row is there under the key: never deleted, restored, purged, or another tenant's."""

    code = "soft-delete.row-missing"


class RestoreAltered(SoftDeleteError):
    """A trigger has changed a row while it was restored."""

    code = "soft-delete.altered"


class AuditError(FreeholdError):
    """What is recorded, sealed or anchored is not what it was, or could not be sealed."""

    code = "audit"


class AuditAppendOnly(AuditError):
    """Entries and seals are only added (SQLSTATE FH080)."""

    code = "audit.append-only"


class AuditKeyInvalid(AuditError):
    """A key file is missing, open to others, or no Ed25519 key."""

    code = "audit.key"


class AuditAnchorInvalid(AuditError):
    """The anchor cannot be read or written, or its lines do not follow each other."""

    code = "audit.anchor"


class AuditForked(AuditError):
    """Database and anchor disagree on what was sealed: the database was restored, or altered."""

    code = "audit.forked"


class PartitionError(FreeholdError):
    """A partition could not be retired."""

    code = "partition"


class PartitionInUse(PartitionError):
    """A period is past its time, and rows of other tables or a long transaction hold it."""

    code = "partition.in-use"


class PartitionNotExported(PartitionError):
    """A period could not be written to its file, or the file is not what was written; its rows are still there."""

    code = "partition.not-exported"


class TenantError(FreeholdError):
    """A tenant cannot be exported, imported, erased, restored or cloned; nothing is half done."""

    code = "tenant.failed"


class TenantUnknown(TenantError):
    """No table has a row of the tenant."""

    code = "tenant.unknown"


class TenantExists(TenantError):
    """The database that a tenant is to be brought to has rows of it."""

    code = "tenant.exists"


class TenantHeld(TenantError):
    """A declared `LegalHold` keeps rows of a tenant that was to be erased; nothing was deleted."""

    code = "tenant.held"


class TenantIncomplete(TenantError):
    """What a tenant's rows refer to is not there, or what is stored or erased is not all of it; it was rolled back."""

    code = "tenant.incomplete"


class ArchiveInvalid(TenantError):
    """A tenant's archive was altered, is another one, or is none; not a row of it was imported."""

    code = "tenant.archive"


class ShapeChanged(TenantError):
    """Tables have another form than when the tenant was exported; each difference is named."""

    code = "tenant.shape"


class PoolExhausted(FreeholdError):
    """No connection of the pool became free in time; the detail says who holds them."""

    code = "pool.exhausted"


class PoolerUnfit(FreeholdError):
    """The pooler before the server keeps no transaction together."""

    code = "pool.unfit"


class ReplicaError(FreeholdError):
    """A read cannot be served as fresh as was asked."""

    code = "replica.unavailable"


class PositionInvalid(ReplicaError):
    """A position token is malformed, forged, or of another cluster."""

    code = "replica.position-invalid"


class ResultTooLarge(OutcomeError):
    """A keyed function returned more than a stored result may hold (SQLSTATE FH020)."""

    code = "outcome.result-too-large"


class OutcomeTaken(OutcomeError):
    """The key has an outcome already: another call was first, or declared this one aborted (SQLSTATE FH021)."""

    code = "outcome.taken"


class OutcomeKeyInvalid(OutcomeError):
    """The key of an outcome is empty or longer than 512 bytes (SQLSTATE FH022)."""

    code = "outcome.key-invalid"


class OutboxError(FreeholdError):
    """A message cannot be sent or was not delivered."""

    code = "outbox.failed"


class MessageInvalid(OutboxError):
    """A message without topic or payload, or whose topic or key is too long (SQLSTATE FH031)."""

    code = "outbox.message-invalid"


class MessageTooLarge(OutboxError):
    """A payload is larger than the outbox takes (SQLSTATE FH030)."""

    code = "outbox.message-too-large"


class MessageRefused(OutboxError):
    """The receiver will never take a message: a target raises it to make a dead letter of it at once."""

    code = "outbox.message-refused"


class MessageNotTaken(OutboxError):
    """The receiver did not take a message this time: a target raises it, and the relay tries again.

    ``retry_after`` is how many seconds the receiver asked for, or None.
    """

    code = "outbox.message-not-taken"

    def __init__(self, message: str, *, detail: str = "", hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.retry_after = retry_after


class WebhookForged(OutboxError):
    """A received webhook carries no valid signature, or one of another time."""

    code = "outbox.webhook-forged"


class JobForged(FreeholdError):
    """A queued job does not carry the signature of this application; it is not run."""

    code = "jobs.forged"


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


class EncryptionError(FreeholdError):
    """A value cannot be encrypted or decrypted; nothing was written, and no clear text was given."""

    code = "encryption.failed"


class ClearTextRefused(EncryptionError):
    """A value for an encrypted column is not encrypted; it was not sent to the server."""

    code = "encryption.clear-text"


class CiphertextRefused(EncryptionError):
    """A stored value was altered, cut, or moved from another row, column, table or tenant."""

    code = "encryption.ciphertext-refused"


class KeyUnavailable(EncryptionError):
    """The key provider does not answer, or refuses to unwrap a data key."""

    code = "encryption.key-unavailable"


class KeyDestroyed(EncryptionError):
    """The tenant's data keys were destroyed: nothing encrypted with them can be read any more."""

    code = "encryption.key-destroyed"


class InputError(FreeholdError):
    """A file or value from the user cannot be used."""

    code = "input.invalid"


class AmountInvalid(InputError):
    """An amount of money is no finite decimal number, has too many digits, or has no currency's code."""

    code = "input.amount"


class CurrencyMismatch(InputError):
    """Amounts of different currencies are not added or subtracted."""

    code = "input.currency-mismatch"


class SqlNotLiteral(FreeholdError):
    """SQL text of unknown origin; only literals in code, composed objects and reviewed exceptions run."""

    code = "sql.not-literal"


class PackageMissing(FreeholdError):
    """A part of Freehold needs an optional package that is not installed."""

    code = "config.package-missing"


class ConfigError(FreeholdError):
    """An option is missing or has a value that cannot be used."""

    code = "config.invalid"
