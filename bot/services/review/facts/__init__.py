"""The facts of a month, read from our own rows as of one instant; what people do with them stands in the folder above."""
