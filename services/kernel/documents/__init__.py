"""Documents and attachments of anything that has an owner: taken in and checked, kept in versions, made from templates, shown."""
