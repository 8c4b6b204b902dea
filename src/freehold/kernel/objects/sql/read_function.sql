SELECT
    'pg_proc'::regclass::oid, p.oid, 0,
    n.nspname, p.proname, oidvectortypes(p.proargtypes),
    pg_get_functiondef(p.oid), coalesce(pg_get_function_result(p.oid), ''), p.prosecdef,
    coalesce(p.proconfig, '{}'), CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
    pg_get_function_identity_arguments(p.oid), p.pronargdefaults::integer
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p', 'w') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  -- PostgreSQL's own GRANT and ALTER cannot tell these apart by their input types.
  AND NOT EXISTS (
      SELECT FROM pg_proc AS q
      WHERE q.oid <> p.oid AND q.pronamespace = p.pronamespace AND q.proname = p.proname
        AND (
            SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.number)
            FROM unnest(q.proallargtypes) WITH ORDINALITY AS a (type, number)
        ) = oidvectortypes(p.proargtypes)
  )
  AND NOT EXISTS (
      SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  )
