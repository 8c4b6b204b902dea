SELECT pg_catalog.md5(pg_catalog.string_agg(o.line, ',' ORDER BY o.line))
FROM (
    SELECT 'house ' || h::text FROM estate.house h WHERE h.id <> %(own)s
    UNION ALL SELECT 'note ' || n::text FROM estate.note n WHERE n.tenant_id <> %(own)s
    UNION ALL SELECT 'reply ' || r::text FROM estate.reply r WHERE r.tenant_id <> %(own)s
) o(line)
