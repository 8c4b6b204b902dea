-- First in the transaction: a second loader waits here, and then finds the batch done.
INSERT INTO retail.load_batch (tenant_id, source_id, batch_no, loaded, quarantined)
VALUES (:tenant, :source, :batch, :loaded, :quarantined)
ON CONFLICT DO NOTHING
