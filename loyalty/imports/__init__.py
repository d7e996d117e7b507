"""Receipts in bulk, from a file: read, staged, then booked by the code that books the API's.

`reading` turns a CSV file into rows, `staging` puts them into the database as receipts in their order,
`receipts` makes commands of them as strictly as the API does, `booking` books them chunk by chunk.
"""
