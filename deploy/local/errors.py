"""What the launcher tells when it cannot go on."""


class LocalError(Exception):
    """Something of this machine stands in the way; the text says where it is and what to do."""
