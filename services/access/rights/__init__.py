"""Who signs in, and who may see whom: accounts, sessions, grants, relations and their endings."""
