"""What do we do about it? One verb, one transaction."""
