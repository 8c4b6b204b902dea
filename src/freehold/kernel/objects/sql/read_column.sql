-- attoptions is left alone on purpose: 15.20 keeps a hidden pg_attver there that changes with every ALTER TYPE.
SELECT
    'pg_class'::regclass::oid, c.oid, a.attnum::integer,
    n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attidentity::text,
    coalesce(
        CASE WHEN a.attidentity <> '' THEN (
            SELECT
                'START WITH ' || s.seqstart || ' INCREMENT BY ' || s.seqincrement
                || ' MINVALUE ' || s.seqmin || ' MAXVALUE ' || s.seqmax || ' CACHE ' || s.seqcache
                || CASE WHEN s.seqcycle THEN ' CYCLE' ELSE ' NO CYCLE' END
            FROM pg_depend AS own
            JOIN pg_sequence AS s ON s.seqrelid = own.objid
            WHERE own.classid = 'pg_class'::regclass AND own.refclassid = 'pg_class'::regclass
              AND own.refobjid = c.oid AND own.refobjsubid = a.attnum AND own.deptype = 'i'
        ) END,
        ''
    ),
    a.attgenerated::text,
    coalesce(
        CASE WHEN a.attcollation <> t.typcollation THEN (
            SELECT quote_ident(cn.nspname) || '.' || quote_ident(l.collname)
            FROM pg_collation AS l JOIN pg_namespace AS cn ON cn.oid = l.collnamespace
            WHERE l.oid = a.attcollation
        ) END,
        ''
    ),
    coalesce(de.description, '')
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_description AS de
    ON de.classoid = 'pg_class'::regclass AND de.objoid = a.attrelid AND de.objsubid = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND NOT c.relispartition
  AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (
      SELECT FROM pg_depend AS e
      WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
  )
ORDER BY c.oid, a.attnum
