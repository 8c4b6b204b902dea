({{nothing}} OR ({{itself}}) OR EXISTS (SELECT FROM {{parent}} AS p WHERE {{linked}}))
