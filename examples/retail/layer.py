"""What the retailer's data must promise: the one declaration beside the models."""

from __future__ import annotations

from examples.retail.models import Account, Base, Country, Customer, Product, Source
from examples.retail.reports import daily_revenue, retention
from examples.retail.statements import source

from freehold import Backup, DataLayer, Extra, History, Outbox, Outcomes, Report, Roles, Tenancy, Versions
from freehold.kernel.objects import Function, Trigger

BALANCED_LEDGER = Extra(
    Function(
        schema="retail",
        function="entry_balances_v1",
        returns="trigger",
        settings=("search_path=pg_catalog, pg_temp",),
        definition=source("create_entry_balances"),
        reason="a ledger entry balances at commit",
    ),
    Trigger(
        schema="retail",
        table="posting",
        trigger="entry_balances",
        definition=source("create_entry_balances_trigger"),
        reason="a ledger entry balances at commit",
    ),
)

DAILY_REVENUE = Report("daily_revenue", daily_revenue(), keys=["day"], fresh="1 hour", when_stale="refresh")
RETENTION = Report("retention", retention(), keys=["cohort", "months_later"], fresh="1 day", when_stale="label")

DEMONSTRATION = "a demonstration on the loopback with one user; the embedded server has no release 18.7 yet"
"""Why defects of PostgreSQL 18.6 are accepted here; a deployment has other reasons, or a newer server."""
KNOWN = Versions(
    accept={
        "CVE-2026-16237": DEMONSTRATION,
        "CVE-2026-116311": DEMONSTRATION,
        "CVE-2026-116327": DEMONSTRATION,
        "CVE-2026-120154": DEMONSTRATION,
        "CVE-2026-120146": DEMONSTRATION,
        "CVE-2026-6460": DEMONSTRATION,
    }
)

DECLARATIONS = (
    Tenancy(Country, shared=[Product, Account, Source]),
    Roles(writes=[Product, Account, Source]),
    History(Product, keep="7 years"),
    History(Customer, keep="7 years"),
    Outcomes(),
    Outbox(),
    KNOWN,
    DAILY_REVENUE,
    RETENTION,
    Backup(keep="7 days", rpo="1 minute"),
    BALANCED_LEDGER,
)

layer = DataLayer(Base.metadata, *DECLARATIONS, name="retail")
