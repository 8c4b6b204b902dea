WITH fresh AS MATERIALIZED (
    SELECT {{columns}} FROM (
{{query}}
    ) AS q ({{columns}})
), gone AS MATERIALIZED (
    SELECT {{key}} FROM {{table}} EXCEPT SELECT {{key}} FROM fresh
), removed AS (
    DELETE FROM {{table}} AS r USING gone AS g WHERE {{same_key}} RETURNING 1
), written AS (
    INSERT INTO {{table}} AS r ({{columns}})
    SELECT {{columns}} FROM fresh
    ON CONFLICT ({{key}}) {{resolution}}
    RETURNING 1
)
SELECT
    (SELECT pg_catalog.count(*) FROM fresh),
    (SELECT pg_catalog.count(*) FROM removed) + (SELECT pg_catalog.count(*) FROM written)
