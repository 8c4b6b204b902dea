-- Every object of the database that no class of objects reads, and every property that none of them has. Those with an
-- address of their own come first; a property stands with the name of what has it. Members of extensions and of the
-- system's schemas are left out: what initdb made has a number below 16384.
WITH made (classid, objid, subid, own, kind) AS (
    SELECT 'pg_proc'::regclass::oid, oid, 0, true, NULL::text FROM pg_proc WHERE prokind = 'a'
    UNION ALL SELECT 'pg_proc'::regclass, p.oid, 0, true, 'routine that only OUT parameters tell from another'
    FROM pg_proc AS p
    WHERE p.prokind <> 'a' AND EXISTS (
        SELECT FROM pg_proc AS q
        WHERE q.oid <> p.oid AND q.pronamespace = p.pronamespace AND q.proname = p.proname
            AND (
            SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.number)
            FROM unnest(q.proallargtypes) WITH ORDINALITY AS a (type, number)
        ) = oidvectortypes(p.proargtypes)
    )
    UNION ALL SELECT 'pg_operator'::regclass, oid, 0, true, NULL FROM pg_operator
    UNION ALL SELECT 'pg_opclass'::regclass, oid, 0, true, NULL FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, 0, true, NULL FROM pg_opfamily
    UNION ALL SELECT 'pg_cast'::regclass, oid, 0, true, NULL FROM pg_cast
    UNION ALL SELECT 'pg_collation'::regclass, oid, 0, true, NULL FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid, 0, true, NULL FROM pg_conversion
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, 0, true, NULL FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, 0, true, NULL FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, 0, true, NULL FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, 0, true, NULL FROM pg_ts_template
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 0, true, NULL FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 0, true, NULL FROM pg_foreign_server
    UNION ALL SELECT 'pg_user_mapping'::regclass, umid, 0, true, NULL FROM pg_user_mappings
    UNION ALL SELECT 'pg_publication'::regclass, oid, 0, true, NULL FROM pg_publication
    UNION ALL SELECT 'pg_publication_rel'::regclass, oid, 0, true, NULL FROM pg_publication_rel
    UNION ALL SELECT 'pg_publication_namespace'::regclass, oid, 0, true, NULL FROM pg_publication_namespace
    UNION ALL SELECT 'pg_subscription'::regclass, s.oid, 0, true, NULL FROM pg_subscription AS s
        JOIN pg_database AS b ON b.oid = s.subdbid AND b.datname = current_database()
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, 0, true, NULL FROM pg_statistic_ext
    UNION ALL SELECT 'pg_language'::regclass, oid, 0, true, NULL FROM pg_language
    UNION ALL SELECT 'pg_transform'::regclass, oid, 0, true, NULL FROM pg_transform
    UNION ALL SELECT 'pg_am'::regclass, oid, 0, true, NULL FROM pg_am
    UNION ALL SELECT 'pg_largeobject'::regclass, oid, 0, true, NULL FROM pg_largeobject_metadata
    UNION ALL SELECT 'pg_rewrite'::regclass, oid, 0, true, NULL FROM pg_rewrite WHERE rulename <> '_RETURN'
    UNION ALL SELECT 'pg_class'::regclass, oid, 0, true, NULL FROM pg_class WHERE relkind = 'f'
    UNION ALL SELECT 'pg_class'::regclass, oid, 0, true, 'composite type' FROM pg_class WHERE relkind = 'c'
    UNION ALL SELECT 'pg_type'::regclass, oid, 0, true,
        CASE WHEN NOT typisdefined THEN 'shell type' WHEN typtype = 'r' THEN 'range type'
            WHEN typtype = 'm' THEN 'multirange type' ELSE 'base type' END
    FROM pg_type WHERE (typtype IN ('b', 'r', 'm') AND typcategory <> 'A') OR NOT typisdefined
    UNION ALL SELECT d.classoid, d.objoid, d.objsubid, false, 'comment'
    FROM pg_description AS d
    LEFT JOIN pg_class AS c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid
    WHERE d.classoid <> 'pg_extension'::regclass AND d.classoid <> 'pg_largeobject'::regclass
      AND NOT coalesce(c.relkind IN ('r', 'p') AND (d.objsubid = 0 OR NOT c.relispartition), false)
    UNION ALL SELECT classoid, objoid, objsubid, false, 'security label' FROM pg_seclabel
    UNION ALL SELECT 'pg_class'::regclass, i.inhrelid, 0, false, 'inheritance'
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE c.relkind IN ('r', 'f') AND NOT c.relispartition
    UNION ALL SELECT 'pg_class'::regclass, a.attrelid, a.attnum, false, p.kind
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
    CROSS JOIN LATERAL (VALUES
        ('column storage', c.relkind IN ('r', 'p', 'm') AND a.attstorage <> t.typstorage),
        ('column compression', a.attcompression <> ''),
        ('statistics target', coalesce((to_jsonb(a) ->> 'attstattarget')::integer, -1) >= 0),
        ('column options', EXISTS (SELECT FROM unnest(a.attoptions) AS o WHERE o LIKE 'n_distinct%')),
        ('view default', c.relkind = 'v' AND f.oid IS NOT NULL),
        ('partition default', c.relispartition AND EXISTS (
            SELECT FROM pg_inherits AS i
            JOIN pg_attribute AS pa ON pa.attrelid = i.inhparent AND pa.attname = a.attname
            LEFT JOIN pg_attrdef AS pf ON pf.adrelid = pa.attrelid AND pf.adnum = pa.attnum
            WHERE i.inhrelid = c.oid
              AND pg_get_expr(pf.adbin, pf.adrelid) IS DISTINCT FROM pg_get_expr(f.adbin, f.adrelid)
        )),
        ('partition NOT NULL', c.relispartition AND a.attnotnull AND EXISTS (
            SELECT FROM pg_inherits AS i
            JOIN pg_attribute AS pa ON pa.attrelid = i.inhparent AND pa.attname = a.attname
            WHERE i.inhrelid = c.oid AND NOT pa.attnotnull
        ))
    ) AS p (kind, found)
    WHERE p.found AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'v', 'i')
    UNION ALL SELECT 'pg_class'::regclass, c.oid, 0, false, p.kind
    FROM pg_class AS c
    LEFT JOIN pg_index AS x ON x.indexrelid = c.oid
    LEFT JOIN pg_am AS m ON m.oid = c.relam
    LEFT JOIN pg_class AS toast ON toast.oid = c.reltoastrelid
    CROSS JOIN LATERAL (VALUES
        ('replica identity', c.relkind IN ('r', 'p') AND c.relreplident <> 'd'),
        ('cluster mark', coalesce(x.indisclustered, false)),
        ('invalid state', coalesce(NOT x.indisvalid, false)),
        ('order of columns', c.relispartition AND c.relkind IN ('r', 'p') AND EXISTS (
            SELECT FROM pg_inherits AS i
            WHERE i.inhrelid = c.oid AND ARRAY(
                SELECT a.attname FROM pg_attribute AS a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            ) <> ARRAY(
                SELECT a.attname FROM pg_attribute AS a
                WHERE a.attrelid = i.inhparent AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            )
        )),
        ('unpopulated state', c.relkind = 'm' AND NOT c.relispopulated),
        ('tablespace', c.reltablespace <> 0),
        ('table access method', c.relkind IN ('r', 'p', 'm') AND m.amname <> 'heap'),
        ('row type', c.reloftype <> 0),
        ('toast options', toast.reloptions IS NOT NULL),
        ('unlogged state', c.relkind = 'S' AND c.relpersistence = 'u'),
        ('owner column', c.relkind = 'S' AND EXISTS (
            SELECT FROM pg_depend AS d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
              AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
        ))
    ) AS p (kind, found)
    WHERE p.found
    UNION ALL SELECT 'pg_constraint'::regclass, k.oid, 0, false, 'name or state of NOT NULL'
    FROM pg_constraint AS k
    LEFT JOIN pg_class AS c ON c.oid = k.conrelid
    LEFT JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    LEFT JOIN pg_type AS t ON t.oid = k.contypid
    WHERE k.contype = 'n' AND k.coninhcount = 0 AND (
        NOT k.convalidated OR k.connoinherit
        OR k.conname NOT IN (
            coalesce(c.relname || '_' || a.attname || '_not_null', t.typname || '_not_null'),
            left(coalesce(c.relname || '_' || a.attname || '_not_null', ''), 63)
        )
    )
    UNION ALL SELECT h.classid, h.objid, h.subid, false, p.kind
    FROM (
        SELECT 'pg_class'::regclass, oid, 0, relowner, relacl, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", false
        FROM pg_class WHERE relacl IS NOT NULL AND relkind <> 'f'
        UNION ALL SELECT 'pg_class'::regclass, a.attrelid, a.attnum, c.relowner, a.attacl, 'c', false
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.relkind <> 'f'
        UNION ALL SELECT 'pg_proc'::regclass, oid, 0, proowner, proacl, 'f', false
        FROM pg_proc WHERE proacl IS NOT NULL AND prokind <> 'a'
        UNION ALL SELECT 'pg_namespace'::regclass, oid, 0, nspowner, nspacl, 'n', false
        FROM pg_namespace WHERE nspacl IS NOT NULL
        UNION ALL SELECT 'pg_default_acl'::regclass, oid, 0, defaclrole, defaclacl,
            CASE WHEN defaclnamespace <> 0 THEN 'c' WHEN defaclobjtype = 'S' THEN 's' ELSE defaclobjtype END, true
        FROM pg_default_acl
    ) AS h (classid, objid, subid, owner, acl, type, later)
    CROSS JOIN LATERAL (VALUES
        ('own rights', EXISTS (
            SELECT FROM aclexplode(acldefault(h.type, h.owner)) AS d
            WHERE d.grantee = h.owner AND NOT EXISTS (
                SELECT FROM aclexplode(h.acl) AS a WHERE a.grantee = h.owner AND a.privilege_type = d.privilege_type
            )
        ) OR (h.type = 'c' AND h.later AND EXISTS (SELECT FROM aclexplode(h.acl) AS a WHERE a.grantee = h.owner))),
        ('rights by another grantor', EXISTS (SELECT FROM aclexplode(h.acl) AS a WHERE a.grantor <> h.owner)),
        ('grant option', h.later AND EXISTS (
            SELECT FROM aclexplode(h.acl) AS a WHERE a.is_grantable AND a.grantee <> h.owner
        ))
    ) AS p (kind, found)
    WHERE p.found
    UNION ALL SELECT 'pg_trigger'::regclass, t.oid, 0, false, 'state'
    FROM pg_trigger AS t
    JOIN pg_class AS c ON c.oid = t.tgrelid AND c.relpersistence <> 't'
    LEFT JOIN pg_trigger AS parent ON parent.oid = t.tgparentid
    WHERE (t.tgisinternal OR t.tgparentid <> 0) AND t.tgenabled <> coalesce(parent.tgenabled, 'O')
    UNION ALL SELECT classid, objid, objsubid, false, 'mark of an extension' FROM pg_depend WHERE deptype = 'x'
    UNION ALL SELECT 'pg_type'::regclass, t.oid, 0, false, p.kind
    FROM pg_type AS t
    LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
    CROSS JOIN LATERAL (VALUES
        ('collation', t.typtype = 'd' AND t.typcollation <> b.typcollation),
        ('rights', t.typacl IS NOT NULL)
    ) AS p (kind, found)
    WHERE p.found
)
SELECT
    CASE WHEN m.own THEN m.classid ELSE 0 END, CASE WHEN m.own THEN m.objid ELSE 0 END,
    coalesce(m.kind, i.type), CASE WHEN m.own OR m.kind IS NULL THEN i.identity ELSE 'of ' || i.type || ' ' || i.identity END
FROM made AS m
CROSS JOIN LATERAL pg_identify_object(m.classid, m.objid, m.subid) AS i
WHERE m.objid >= 16384
  AND coalesce(i.schema, '') !~ '^pg_'
  AND i.identity !~ '^pg_(temp|toast)'
  AND (m.classid <> 'pg_class'::regclass OR NOT EXISTS (
      SELECT FROM pg_class AS c WHERE c.oid = m.objid AND c.relnamespace::regnamespace::text ~ '^pg_'
  ))
  AND NOT EXISTS (
      SELECT FROM pg_depend AS d
      WHERE d.classid = m.classid AND d.objid = m.objid AND d.deptype = 'e'
  )
UNION ALL SELECT 0, 0, 'setting', format('%s of %s in this database', split_part(c, '=', 1), r.rolname)
FROM pg_db_role_setting AS s
CROSS JOIN LATERAL unnest(s.setconfig) AS c
JOIN pg_roles AS r ON r.oid = s.setrole
JOIN pg_database AS b ON b.oid = s.setdatabase AND b.datname = current_database()
ORDER BY 3, 4
