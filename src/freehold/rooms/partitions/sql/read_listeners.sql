-- Whether a trigger hears of rows that leave, through the table or through its partition.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_trigger AS t
    WHERE t.tgrelid IN (%(table)s::pg_catalog.regclass, %(part)s::pg_catalog.regclass)
      AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 8 <> 0
)
