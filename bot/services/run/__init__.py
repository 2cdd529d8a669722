"""Runs of runbooks: started, carried out, undone, ended; and how far Vigie may run them by itself."""
