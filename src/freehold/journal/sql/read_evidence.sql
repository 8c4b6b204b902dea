SELECT DISTINCT ON (room, subject, promise)
    room, subject, promise, verdict, detail, proved_at, expires_at, expires_at < clock_timestamp() AS expired, declaration
FROM freehold.evidence
ORDER BY room, subject, promise, proved_at DESC
