UPDATE {{table}} SET {{values}}
WHERE ctid = (SELECT ctid FROM {{table}} WHERE {{same_key}} AND {{unchanged}} FOR NO KEY UPDATE SKIP LOCKED)
