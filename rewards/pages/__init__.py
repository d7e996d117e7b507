"""The member's own pages: what she has, where each point came from, what she can have for it."""
