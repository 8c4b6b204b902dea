WITH batch AS MATERIALIZED (
        {{batch}}
), done AS (
    {{statement}}
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM batch),
    (SELECT count(*) FROM done),
    (SELECT ARRAY[{{texts}}] FROM batch AS b ORDER BY {{backwards}} LIMIT 1)
