SELECT kind, name FROM freehold.managed_object
