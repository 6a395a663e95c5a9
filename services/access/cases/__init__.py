"""Applications for access, statements and refusals, from the register to the paper."""
