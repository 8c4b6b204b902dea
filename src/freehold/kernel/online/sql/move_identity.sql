SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence({{new}}, {{column}}), s.last)
FROM (
    SELECT pg_catalog.pg_sequence_last_value(pg_catalog.pg_get_serial_sequence({{old}}, {{column}})::regclass) AS last
) AS s
WHERE s.last IS NOT NULL
