"""Vigie, the lookout of a payments platform: the plan of its floors.

A file imports only from floors below its own; on the same floor only within one room (one folder).
tests/test_floors.py reads this plan.

8 bot.__main__
7 bot.app
6 bot.entrypoints
5 commands
4 bot.services
3 bot.sources bot.review
2 bot.store bot.clients bot.durable bot.discover bot.settings bot.config bot.alarms bot.logs
1 bot.errors bot.ports bot.masking bot.decoding bot.signals bot.labour bot.workspace bot.doubles runbooks
"""
