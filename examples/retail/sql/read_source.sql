SELECT batch_lines, batches_catalogued FROM retail.source WHERE id = :source
