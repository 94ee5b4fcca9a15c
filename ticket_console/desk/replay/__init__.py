"""Replay: what a drawn flow would have done to the tickets of a past period. Nothing live is written.

`script` reads what happened to a ticket, `playing` lives it through again on any flow with the production
engine and a simulated clock, `comparing` says what would have been different, `reading` takes the tickets of
a period out of the database in windows, `part` does a share of them in a process of its own, and `runs` is
what a page starts, watches and calls off.
"""
