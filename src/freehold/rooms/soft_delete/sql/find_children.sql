{{kids}} := ARRAY(
        SELECT DISTINCT ON ({{key}}) c.deletion
        FROM {{deleted}} AS d
        JOIN {{child}} AS c ON {{linked}} AND c.transaction_id = d.transaction_id
        WHERE d.deletion = ANY (which) AND {{other}}
        ORDER BY {{key}}, c.deletion DESC
    );
