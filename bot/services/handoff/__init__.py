"""Passing of the duty: the note that is made of it, who writes, asks and accepts when, and what is carried on."""
