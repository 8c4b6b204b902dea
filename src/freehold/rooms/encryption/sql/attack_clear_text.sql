UPDATE {{table}} SET {{column}} = pg_catalog.convert_to(pg_catalog.repeat('clear text ', 20), 'UTF8')
