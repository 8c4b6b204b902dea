DO $freehold$
DECLARE
    one record;
BEGIN
    -- One statement, one snapshot: both tables are written in the same transactions.
    SELECT a.rows, a.sum, b.rows, b.sum INTO one
    FROM (SELECT count(*) AS rows, sum(hashtextextended(ROW({{columns}})::text, 0)::numeric) AS sum FROM {{one}} AS t) AS a,
        (SELECT count(*) AS rows, sum(hashtextextended(ROW({{columns}})::text, 0)::numeric) AS sum FROM {{other}} AS t) AS b
    WHERE (a.rows, a.sum) IS DISTINCT FROM (b.rows, b.sum);
    IF FOUND THEN
        RAISE EXCEPTION 'rows of % and of its successor differ', {{title}}
            USING ERRCODE = 'data_corrupted', DETAIL = one::text;
    END IF;
END
$freehold$
