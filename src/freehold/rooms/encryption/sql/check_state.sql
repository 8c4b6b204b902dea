CHECK (
    state IN ('active', 'retired', 'destroyed')
    AND purpose IN ('data', 'index')
    AND (state = 'destroyed') = (wrapped IS NULL)
)
