DELETE FROM {{table}} AS t
WHERE t.ctid = ANY (ARRAY(SELECT t.ctid FROM {{table}} AS t WHERE {{going}} LIMIT {{batch}}))
