"""Where the views are."""

from __future__ import annotations

from django.urls import path
from examples.django_shop import views

urlpatterns = [
    path("orders", views.orders),
    path("orders/new", views.create),
    path("products", views.names),
    path("products/new", views.add_product),
]
