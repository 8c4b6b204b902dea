SELECT {{columns}} FROM {{table}} AS t
        WHERE {{after}} AND ({{condition}})
        ORDER BY {{key}} LIMIT {{size}}
        FOR {{strength}} OF t {{wait}}
