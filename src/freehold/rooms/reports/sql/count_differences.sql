WITH live AS MATERIALIZED (
    SELECT {{columns}} FROM (
{{query}}
    ) AS q ({{columns}})
), missing AS (
    SELECT {{columns}} FROM live EXCEPT ALL SELECT {{columns}} FROM {{table}}
), superfluous AS (
    SELECT {{columns}} FROM {{table}} EXCEPT ALL SELECT {{columns}} FROM live
)
SELECT (SELECT count(*) FROM missing) + (SELECT count(*) FROM superfluous)
