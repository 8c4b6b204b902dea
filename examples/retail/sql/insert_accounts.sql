INSERT INTO retail.account (id, name)
SELECT * FROM unnest(CAST(:numbers AS bigint[]), CAST(:names AS text[]))
ON CONFLICT DO NOTHING
