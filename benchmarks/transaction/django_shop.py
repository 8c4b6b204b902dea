"""The transaction in Django, whose settings hold for a whole process."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

SET = "SELECT set_config('bench.tenant', %s, true)"


def work(url: str, drawn: Callable[[], tuple[int, int, int]], price: Decimal) -> Callable[[int], None]:
    """Configure Django for the address, and give the work."""
    place: dict[str, Any] = conninfo_to_dict(url)
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": place["dbname"],
                "USER": place["user"],
                "PASSWORD": place["password"],
                "HOST": place["host"],
                "PORT": str(place.get("port", "")),
            }
        },
        INSTALLED_APPS=[],
        USE_TZ=True,
    )
    django.setup()
    from django.db import connection, models, transaction  # needs the settings

    def meta(table: str) -> type:
        return type("Meta", (), {"app_label": "bench", "db_table": f'usual"."{table}', "managed": False})

    def model(table: str, **columns: Any) -> Any:
        members = {"__module__": __name__, "Meta": meta(table), "tenant_id": models.BigIntegerField(), **columns}
        return type(table.title(), (models.Model,), members)

    order = model("orders", id=models.BigIntegerField(primary_key=True), customer=models.TextField())
    line = model(
        "order_line",
        id=models.BigAutoField(primary_key=True),
        order_id=models.BigIntegerField(),
        product_id=models.BigIntegerField(),
        quantity=models.IntegerField(),
        price=models.DecimalField(max_digits=12, decimal_places=2),
    )
    stock = model("stock", product_id=models.BigIntegerField(primary_key=True), on_hand=models.IntegerField())

    def sell(times: int) -> None:
        for _ in range(times):
            tenant, number, product = drawn()
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(SET, (str(tenant),))
                found = order.objects.get(tenant_id=tenant, id=number)
                line.objects.create(tenant_id=tenant, order_id=found.id, product_id=product, quantity=1, price=price)
                kept = stock.objects.filter(tenant_id=tenant, product_id=product)
                kept.update(on_hand=models.F("on_hand") - 1)

    return sell
