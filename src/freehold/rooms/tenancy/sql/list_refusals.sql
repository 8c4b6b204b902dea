SELECT w.relation, w.command, w.why, w.role, w.application, w.statement,
       count(DISTINCT w.hour) AS hours, min(w.noted_at) AS first_at, max(w.noted_at) AS last_at
FROM freehold.would_refuse AS w
WHERE w.noted_at >= now() - make_interval(hours => %(hours)s)
GROUP BY w.relation, w.command, w.why, w.role, w.application, w.statement
ORDER BY last_at DESC
LIMIT %(most)s
