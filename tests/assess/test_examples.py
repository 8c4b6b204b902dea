"""The examples' own databases: a declared layer leaves nothing bad in what it declares."""

from __future__ import annotations

import pytest
from examples.retail.layer import DECLARATIONS as RETAIL
from examples.retail.models import Base as RetailBase
from examples.subscriptions.layer import DECLARATIONS as SUBSCRIPTIONS
from examples.subscriptions.models import Base as SubscriptionsBase

from freehold import DataLayer
from freehold.assess import Area, Severity, assess
from freehold.operations import apply_layer
from freehold.testing.database import Database

LAYERS = {"retail": (RetailBase, RETAIL), "subscriptions": (SubscriptionsBase, SUBSCRIPTIONS)}


@pytest.mark.parametrize("name", LAYERS)
def test_nothing_bad_is_found(name: str, database: Database, layer_name: str) -> None:
    base, declarations = LAYERS[name]
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, DataLayer(base.metadata, *declarations, name=layer_name).declared)
        review = assess(connection)
    bad = [
        (finding.check.code, finding.subject, finding.evidence)
        for finding in review.findings
        if finding.severity in {Severity.HIGH, Severity.MEDIUM} and finding.check.area is not Area.SERVER
    ]
    assert [each for each in bad if not each[1].startswith("role ") or layer_name in each[1]] == []
