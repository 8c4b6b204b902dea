COPY pg_temp.retail_stage FROM STDIN (FORMAT csv)
