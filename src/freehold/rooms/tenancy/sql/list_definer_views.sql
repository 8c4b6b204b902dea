-- Views over tables of tenants that read with their owner's rights, and materialized ones, which store what they read.
SELECT DISTINCT pg_catalog.format('%%I.%%I', vn.nspname, v.relname)
FROM pg_catalog.pg_class t
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = t.oid
JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
WHERE pg_catalog.format('%%I.%%I', tn.nspname, t.relname) IN ({{tables}})
  AND (v.relkind = 'm' OR NOT EXISTS (
      SELECT FROM pg_catalog.pg_options_to_table(v.reloptions) o
      WHERE o.option_name = 'security_invoker' AND o.option_value::boolean))
ORDER BY 1
