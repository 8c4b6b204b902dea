{{clear}} IS NOT NULL AND {{sealed}} IS NULL
