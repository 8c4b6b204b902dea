AND NOT EXISTS (
              SELECT FROM {{child}} AS c WHERE {{linked}} AND c.transaction_id = d.transaction_id AND {{other}}
          )
