SELECT
    'pg_event_trigger'::regclass::oid, e.oid, 0,
    e.evtname, e.evtevent,
    coalesce((SELECT array_agg(t ORDER BY t) FROM unnest(e.evttags) AS t), '{}'),
    ARRAY[n.nspname, p.proname]::text[], e.evtenabled::text
FROM pg_event_trigger AS e
JOIN pg_proc AS p ON p.oid = e.evtfoid
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE NOT EXISTS (
    SELECT FROM pg_depend AS d
    WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e'
)
