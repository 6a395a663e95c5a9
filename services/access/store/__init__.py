"""Every SQL statement of access. Functions take a connection and return dataclasses."""
