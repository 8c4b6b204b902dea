SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'the log is not archived: no restore to a moment' AS evidence,
    'set archive_command to a tool that archives, then archive_mode = on, and restart: without the command the log piles up' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'archive_mode' AND s.setting = 'off'
ORDER BY 2
