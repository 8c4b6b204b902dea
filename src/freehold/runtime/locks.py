"""Advisory locks by name, held until the transaction ends: the only kind that is right behind a pooler."""

from __future__ import annotations

from freehold.kernel.template import read_sql
from freehold.runtime.exchange import Command

PACKAGE = "freehold.runtime"


def lock_command(name: str, *, tenant: str, shared: bool, wait: bool) -> Command:
    """The statement that takes a lock; it answers whether the lock is held.

    Locks are the tenant's own: two tenants that use the same name do not meet. The name is hashed to 64 bits
    (``hashtextextended``), so that two names can share a lock, which costs waiting and never correctness.

    Parameters
    ----------
    shared
        Let others that share it in.
    wait
        Wait for it, within the workload's ``lock_timeout``; else answer False where another holds it.
    """
    kind = "shared" if shared else "exclusive"
    text = read_sql(PACKAGE, f"lock_{kind}" if wait else f"try_lock_{kind}")
    return Command(text.encode(), (name.encode(), tenant.encode()))
