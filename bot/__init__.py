"""Vigie, the lookout of a payments platform: the plan of its floors.

A file imports only from floors below its own; on the same floor only within one room (one folder).
tests/test_floors.py reads this plan.

11 bot.__main__
10 bot.commandline
9 bot.demo
8 bot.running
7 bot.app bot.sending bot.checking bot.auditing bot.rota bot.exporting bot.rehearsal bot.reviewing
6 bot.entrypoints
5 commands
4 bot.services
3 bot.sources bot.review bot.durable bot.trust bot.worlds
2 bot.store bot.clients bot.discover bot.settings bot.config bot.alarms bot.events bot.logs bot.workspace bot.doubles
1 bot.errors bot.ports bot.masking bot.decoding bot.signals bot.calendars bot.labour runbooks
"""
