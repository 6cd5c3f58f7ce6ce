"""Long work: one job table with progress, cancel, resume and result, the only one of its kind."""
