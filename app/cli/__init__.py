"""The command line: `gateway …`."""
