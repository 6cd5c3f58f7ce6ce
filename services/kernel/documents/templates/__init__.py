"""Templates of documents as staff keep them: versions in regions, the nearest counts; documents made of them and kept."""
