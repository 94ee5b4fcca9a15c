"""Rating a whole population at once: the same rules as `rating`, over columns instead of tickets.

`columns` holds the facts of many tickets side by side, `masks` says for which of them a condition holds,
`rating` computes the amounts. Property tests hold both evaluators equal to the minor unit.
"""
