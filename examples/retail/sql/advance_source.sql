-- The row lock makes a second loader wait; it then finds the batch catalogued and touches no product.
UPDATE retail.source
SET batches_catalogued = :batch + 1
WHERE id = :source AND batches_catalogued = :batch
