SELECT CASE WHEN h.auth_method = 'trust' AND h.type LIKE 'host%%' AND h.address NOT IN ('127.0.0.1', '::1', 'samehost') THEN 'high' END AS severity,
    format('pg_hba.conf, line %%s', h.line_number) AS subject,
    format('%%s for %%s from %%s: %%s', h.type, array_to_string(h.user_name, ','), coalesce(h.address, 'this machine'), h.auth_method) AS evidence,
    'let it say scram-sha-256' AS mend
FROM pg_catalog.pg_hba_file_rules AS h
WHERE h.auth_method IN ('trust', 'password', 'md5') AND h.error IS NULL
ORDER BY h.line_number
