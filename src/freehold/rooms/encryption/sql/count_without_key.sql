SELECT count(*)
FROM {{table}} AS t
WHERE t.{{column}} IS NOT NULL AND {{sealed}} AND NOT EXISTS (
    SELECT FROM {{keys}} AS k
    WHERE pg_catalog.uuid_send(k.key_id) = pg_catalog.substring(t.{{column}}, {{start}}, {{length}}) {{same_tenant}}
)
