INSERT INTO retail.source (id, sha256, lines, batch_lines, batches_catalogued)
VALUES (:source, :sha256, :lines, :batch_lines, 0)
ON CONFLICT DO NOTHING
