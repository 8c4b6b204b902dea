SELECT count(*)
FROM freehold.audit AS a
WHERE a.at < pg_catalog.clock_timestamp() - {{within}}::interval
    AND a.xid >= COALESCE((SELECT max((s.statement::json ->> 'to')::xid8) FROM freehold.audit_seal AS s), '0'::xid8)
