-- Tables of tenants, and everything that inherits from one, on which row security is off, not forced, or other than on
-- the table they belong to: a partition can be addressed by its own name.
WITH RECURSIVE family AS (
    SELECT c.oid AS head, c.oid AS member
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE pg_catalog.format('%%I.%%I', n.nspname, c.relname) IN ({{tables}})
    UNION
    SELECT family.head, i.inhrelid
    FROM family
    JOIN pg_catalog.pg_inherits i ON i.inhparent = family.member
), rules AS (
    SELECT p.polrelid,
           pg_catalog.string_agg(pg_catalog.concat_ws(' ', p.polname, p.polcmd, p.polpermissive, p.polroles,
               pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)),
               ', ' ORDER BY p.polname) AS text
    FROM pg_catalog.pg_policy p
    GROUP BY p.polrelid
)
SELECT DISTINCT pg_catalog.format('%%I.%%I', n.nspname, c.relname),
       CASE
           WHEN NOT c.relrowsecurity THEN 'row security is off'
           WHEN NOT c.relforcerowsecurity THEN 'row security is not forced on the owner'
           ELSE 'its policies are not those of the table it belongs to'
       END
FROM family
JOIN pg_catalog.pg_class c ON c.oid = family.member
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN rules AS own ON own.polrelid = family.member
LEFT JOIN rules AS heads ON heads.polrelid = family.head
WHERE NOT c.relrowsecurity OR NOT c.relforcerowsecurity OR own.text IS DISTINCT FROM heads.text
ORDER BY 1, 2
