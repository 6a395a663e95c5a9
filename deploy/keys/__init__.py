"""The keys of an installation: one for users' tokens, one for each service, the public sets that check them, and the authority of seals."""

from deploy.keys.keys import SERVICES, KeysError, make_keys, rotate_token_key

__all__ = ["SERVICES", "KeysError", "make_keys", "rotate_token_key"]
