"""Breaking named code on purpose, to see whether the tests that claim to need it notice."""
