COPY pg_temp.retail_catalogue_stage FROM STDIN (FORMAT csv)
