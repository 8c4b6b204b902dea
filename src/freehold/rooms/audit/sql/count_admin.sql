SELECT
    count(*) FILTER (WHERE a.kind = 'ddl' AND a.object LIKE '%%freehold_probe_of_audit') > 0,
    count(*) FILTER (WHERE a.kind = 'grant' AND a.action = 'GRANT') > 0
FROM freehold.audit AS a
WHERE a.xid = pg_catalog.pg_current_xact_id() AND a.login = session_user
