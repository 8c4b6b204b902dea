SELECT code, id FROM retail.product WHERE code = ANY (CAST(:codes AS text[]))
