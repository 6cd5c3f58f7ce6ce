"""What the standards of the OGC call for: documents, links, systems, questions and answers of ``/ogc``; no HTTP here."""
