"""Base maps beside our own: imagery that staff connect, asked for through us so that its key stays here."""
