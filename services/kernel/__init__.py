"""What every government matter shares: ledgers, messages, documents, forms, rules, workflow; modules only declare."""
