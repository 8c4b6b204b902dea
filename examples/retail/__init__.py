"""A real retailer's year of invoices, kept by a Freehold data layer: 38 tenants, 541,909 lines."""
