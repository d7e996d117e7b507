"""A draft over stored baskets: reading them in order, deciding each anew where the draft may change it, adding up.

`simulation` and `figures` are pure; only `reading` asks the database, and nothing writes.
"""
