SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'nothing on the wire is encrypted; the server listens on ' || pg_catalog.current_setting('listen_addresses') AS evidence,
    'give the server a certificate (ssl_cert_file, ssl_key_file), then ALTER SYSTEM SET ssl = on' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'ssl' AND s.setting = 'off'
ORDER BY 2
