INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {columns} FROM pg_catalog.jsonb_populate_record(NULL::{table}, %(row)s::jsonb)
