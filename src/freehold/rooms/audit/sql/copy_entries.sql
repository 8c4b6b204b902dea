COPY (
    SELECT id, xid, (extract(epoch FROM at) * 1000000)::bigint, owner, actor, login, transaction_id, kind, object, action, key, before, after
    FROM freehold.audit
    WHERE xid >= {low}::text::xid8 AND xid < {high}::text::xid8
    ORDER BY xid, id
) TO STDOUT
