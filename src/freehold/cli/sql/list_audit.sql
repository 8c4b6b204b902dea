SELECT id, at, owner, actor, login, transaction_id, kind, object, action, key, before, after
FROM freehold.audit
WHERE (%(object)s::text IS NULL OR object = %(object)s) AND (%(actor)s::text IS NULL OR actor = %(actor)s)
ORDER BY id DESC
LIMIT %(most)s
