SELECT NULL AS severity, format('role %%I', r.rolname) AS subject,
    'it owns tables: it may drop them, and row security that is not forced does not hold it' AS evidence,
    format('REASSIGN OWNED BY %%I TO owner_without_login', r.rolname) AS mend
FROM pg_catalog.pg_roles AS r
WHERE r.rolcanlogin AND r.rolname !~ '^pg_' AND NOT r.rolsuper AND EXISTS (
    SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
)
ORDER BY 2
