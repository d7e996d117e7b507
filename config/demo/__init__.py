"""The demo: two programmes to look at, on this machine, with nothing to install or to ask for."""
