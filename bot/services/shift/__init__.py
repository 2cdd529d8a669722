"""How shifts come about and move: published, given, swapped, left by whoever is away or has left."""
