"""Ours against the limit of the machine and against peers, side by side in one run: `make bench`."""
