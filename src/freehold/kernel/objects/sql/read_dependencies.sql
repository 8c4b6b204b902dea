-- Who needs whom, by object address. A column's default stands for its column, a view's rule for the view, a row type
-- for its table, an array type for what it is an array of, a domain's constraint for the domain, and the index behind a
-- constraint for the constraint.
SELECT DISTINCT
    CASE
        WHEN ad.oid IS NOT NULL OR rw.oid IS NOT NULL THEN 'pg_class'::regclass::oid
        WHEN dk.oid IS NOT NULL THEN 'pg_type'::regclass::oid
        ELSE d.classid
    END,
    coalesce(ad.adrelid, rw.ev_class, dk.contypid, d.objid),
    CASE WHEN ad.oid IS NOT NULL THEN ad.adnum::integer WHEN rw.oid IS NOT NULL THEN 0 ELSE d.objsubid END,
    CASE
        WHEN k.oid IS NOT NULL THEN 'pg_constraint'::regclass::oid
        WHEN ty.typrelid <> 0 THEN 'pg_class'::regclass::oid
        ELSE d.refclassid
    END,
    coalesce(k.oid, nullif(ty.typrelid, 0), ty.oid, d.refobjid),
    d.refobjsubid
FROM pg_depend AS d
LEFT JOIN pg_attrdef AS ad ON d.classid = 'pg_attrdef'::regclass AND ad.oid = d.objid
LEFT JOIN pg_rewrite AS rw ON d.classid = 'pg_rewrite'::regclass AND rw.oid = d.objid AND rw.rulename = '_RETURN'
LEFT JOIN pg_constraint AS dk
    ON d.classid = 'pg_constraint'::regclass AND dk.oid = d.objid AND dk.contypid <> 0
LEFT JOIN pg_type AS named ON d.refclassid = 'pg_type'::regclass AND named.oid = d.refobjid
LEFT JOIN pg_type AS ty ON ty.oid = CASE WHEN named.typcategory = 'A' THEN named.typelem ELSE named.oid END
LEFT JOIN pg_constraint AS k
    ON d.refclassid = 'pg_class'::regclass AND k.conindid = d.refobjid AND k.contype IN ('p', 'u', 'x')
WHERE d.deptype IN ('n', 'a')
  AND d.refobjid >= 16384
  AND d.objid >= 16384
