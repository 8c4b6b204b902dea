"""The kernel knows PostgreSQL and no capability: declare, plan, apply, observe, prove."""
