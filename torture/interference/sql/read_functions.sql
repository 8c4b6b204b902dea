-- Every function that a role may call in these schemas, with its arguments' and its result's types.
SELECT n.nspname, p.proname,
       COALESCE((SELECT array_agg(format_type(x.type, NULL) ORDER BY x.place)
                 FROM unnest(p.proargtypes) WITH ORDINALITY AS x (type, place)), '{}'),
       format_type(p.prorettype, NULL)
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = ANY (%(schemas)s) AND p.prokind = 'f'
  AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
  AND NOT (p.prorettype = 'record'::regtype AND NOT p.proretset AND p.proallargtypes IS NULL)
  AND has_function_privilege(%(role)s, p.oid, 'EXECUTE') AND has_schema_privilege(%(role)s, n.oid, 'USAGE')
ORDER BY n.nspname, p.proname, p.oid
