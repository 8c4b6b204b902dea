INSERT INTO {{table}} ({{columns}})
SELECT {{columns}}
FROM pg_catalog.jsonb_populate_record(
    NULL::{{table}}, %(row)s::jsonb || pg_catalog.jsonb_build_object({{tenant}}{{column}}, {{moment}})
)
