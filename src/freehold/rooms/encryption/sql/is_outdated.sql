pg_catalog.substring({{column}}, {{start}}, {{length}}) <> pg_catalog.uuid_send(%(active)s::uuid)
