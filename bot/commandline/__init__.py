"""The command line, one module a group of commands. Each imports what it needs when it runs: help answers at once."""
