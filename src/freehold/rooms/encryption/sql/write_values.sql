UPDATE {{table}} SET {{values}} WHERE {{same_key}} AND {{unchanged}}
