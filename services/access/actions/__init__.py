"""Work that more than one door needs: RPCs, jobs, commands, the seed."""
