INSERT INTO freehold.evidence (
    run_id, number, expires_at, server_version, system_identifier, declaration, room, subject, promise, verdict, detail
)
SELECT
    %(run_id)s, e.number, clock_timestamp() + make_interval(secs => %(valid_seconds)s),
    current_setting('server_version_num')::integer, (SELECT system_identifier FROM pg_control_system()),
    %(declaration)s, e.room, e.subject, e.promise, e.verdict, e.detail
FROM jsonb_to_recordset(%(verdicts)s::jsonb) AS e (
    number integer, room text, subject text, promise text, verdict text, detail text
)
