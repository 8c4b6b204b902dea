WITH changed AS (
    UPDATE {{table}} SET {{clear}} = NULL WHERE {{clear}} IS NOT NULL RETURNING {{sealed}} AS sealed
)
SELECT FROM changed WHERE sealed IS NOT NULL
