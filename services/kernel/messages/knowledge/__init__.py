"""Knowledge (知识库): pages with one file each, kept on the server, found by their words, deleted with a way back."""
