SELECT NULL AS severity, 'server' AS subject,
    format('it runs %%s, and %%s is out', current_setting('server_version'), k.newest) AS evidence,
    'install the newest minor release and restart' AS mend
FROM (VALUES (15, 20), (16, 16), (17, 12), (18, 6)) AS v (major, minor)
CROSS JOIN LATERAL (SELECT v.major || '.' || v.minor AS newest) AS k
WHERE v.major = current_setting('server_version_num')::integer / 10000
    AND v.minor > current_setting('server_version_num')::integer %% 10000
