"""The same earn as most would write it with Django, DRF and the ORM: what the product's shape is worth.

It is atomic and correct and keeps the same observable rows; only the shape is missing.
"""
