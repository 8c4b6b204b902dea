-- The columns of a table, with what lies under their domains, and whether row security holds the current role there.
WITH RECURSIVE chain AS (
    SELECT a.attnum, a.atttypid AS type_id, a.atttypmod AS modifier
    FROM pg_attribute AS a
    WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT chain.attnum, domain.typbasetype, greatest(chain.modifier, domain.typtypmod)
    FROM chain
    JOIN pg_type AS domain ON domain.oid = chain.type_id
    WHERE domain.typtype = 'd'
)
SELECT a.attname::text AS name,
       format_type(a.atttypid, a.atttypmod) AS written,
       t.typname::text AS type,
       t.typtype = 'e' AS enumerated,
       CASE WHEN t.typcategory = 'A' THEN element.typname::text ELSE '' END AS element,
       chain.modifier AS modifier,
       a.attgenerated <> '' AS generated,
       row_security_active(a.attrelid) AS guarded,
       current_setting('track_counts')::boolean AS counted
FROM chain
JOIN pg_type AS t ON t.oid = chain.type_id AND t.typtype <> 'd'
JOIN pg_attribute AS a ON a.attrelid = %(table)s::regclass AND a.attnum = chain.attnum
LEFT JOIN pg_type AS element ON element.oid = t.typelem
ORDER BY a.attnum
