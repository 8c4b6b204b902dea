SELECT count(*)
FROM freehold.audit AS a
WHERE a.xid = pg_catalog.pg_current_xact_id() AND a.kind = 'data' AND a.object = {{title}} AND a.action = 'UPDATE'
    AND a.actor = {{actor}} AND a.owner IS NOT DISTINCT FROM {{owner}} AND a.key IS NOT NULL
