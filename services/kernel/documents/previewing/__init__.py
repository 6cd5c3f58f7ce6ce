"""Looks at a file without opening it: pages and pictures drawn small, text and tables read, in a process apart."""
