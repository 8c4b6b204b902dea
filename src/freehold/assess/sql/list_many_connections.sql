SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    format('%%s connections: each takes memory, and snapshots slow down', s.setting) AS evidence,
    '' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'max_connections' AND s.setting::integer > 500
ORDER BY 2
