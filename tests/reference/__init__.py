"""A second, independent implementation of the points rules, slow and plain, used by tests as an oracle."""
