"""The keys of an installation: for users' tokens, for each service, the public sets of both, and the authority of seals."""

from deploy.keys.keys import SERVICES, KeysError, make_keys, rotate_factor_key, rotate_token_key

__all__ = ["SERVICES", "KeysError", "make_keys", "rotate_factor_key", "rotate_token_key"]
