"""Settings from the environment: SHOP_DATABASE (host, port, name, user and password as a URL) and the context keys."""

from __future__ import annotations

import os

from examples.django_shop.layer import layer
from psycopg.conninfo import conninfo_to_dict

from freehold.runtime.workload import Workload

_address = conninfo_to_dict(os.environ["SHOP_DATABASE"])

SECRET_KEY = os.environ["SHOP_SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
USE_TZ = True
INSTALLED_APPS = ["examples.django_shop"]
MIDDLEWARE = ["freehold.frameworks.django.FreeholdMiddleware"]
FREEHOLD_SCOPE = "examples.django_shop.views.who"
ROOT_URLCONF = "examples.django_shop.urls"
DATABASES = {
    "default": {
        "ENGINE": "freehold.frameworks.django",
        "HOST": _address.get("host", ""),
        "PORT": _address.get("port", ""),
        "NAME": _address["dbname"],
        "USER": _address.get("user", ""),
        "PASSWORD": _address.get("password", ""),
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": 600,
        "OPTIONS": {
            "layer": layer,
            "keys": os.environ["SHOP_KEYS"],
            "workload": Workload("web", statement_timeout=5.0, lock_timeout=2.0),
        },
    }
}
