"""Attachments, and templates of documents."""
