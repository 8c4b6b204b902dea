"""An outside judge of row security, pgrls, finds nothing in either example but what is meant, each with its reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.examples.shop import Shop

from .conftest import Business

MEANT = {
    "SEC003": "policies are TO PUBLIC, so that no role is forgotten; without a signed context tenant_v1() raises",
    "SEC005": "the policies of machine roles, whom nobody logs in as and nobody is a member of",
    "SEC007": "restrictive policies are not used: one permissive policy a command leaves nothing to combine",
    "SEC008": "as SEC005",
    "SEC013": "triggers keep a row's tenant, history, deleted rows and rules; their functions are listed and proved",
    "SEC014": "definer functions are owned by machine roles; the roles room's probe lists them",
    "SEC028": "as SEC005",
    "SEC038": "as SEC005: the role of such a policy is never an anonymous session's",
    "HYG003": "two rooms let one machine role read a table; each keeps its own policy, so that either can go",
    "PERF003": "the balances that wait for COMMIT: a few rows, which no query reads by tenant",
}
"""Rules that report what is by design."""
NO_ROWS = {"freehold"}
"""The schema of Freehold's own tables, on which the application has no right."""


def _unmeant(url: str, schema: str, shared: set[str]) -> list[str]:
    program = str(Path(sys.executable).with_name("pgrls"))
    command = [program, "lint", "--schemas", f"{schema},{schema}_past,freehold", "--format", "json"]
    done = subprocess.run([*command, "--database-url", url], capture_output=True, text=True, check=False, cwd="/")
    found = json.loads(done.stdout)["violations"]
    assert found, "a judge that sees nothing has not looked"
    open_ = {f"{schema}.{table}" for table in shared}
    return [
        f"{each['rule_id']} {each['location']}: {each['message']}"
        for each in found
        if each["rule_id"] not in MEANT
        and not (
            each["rule_id"] == "SEC001" and (each["location"] in open_ or each["location"].partition(".")[0] in NO_ROWS)
        )
    ]


def test_retail(shop: Shop) -> None:
    assert _unmeant(shop.database.url(), "retail", {"product", "product_history", "account", "source"}) == []
    with shop.database.connect(autocommit=True) as connection:
        connection.execute("ALTER TABLE retail.customer DISABLE ROW LEVEL SECURITY")
    assert any("retail.customer" in each for each in _unmeant(shop.database.url(), "retail", {"product"}))


def test_subscriptions(business: Business) -> None:
    shared = {"plan", "plan_feature", "ledger_account"}
    assert _unmeant(business.place.url(), "subscriptions", shared) == []
