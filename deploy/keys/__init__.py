"""The keys of an installation: one for users' tokens, one for each service, and the public sets that check them."""

from deploy.keys.keys import SERVICES, KeysError, make_keys, rotate_token_key

__all__ = ["SERVICES", "KeysError", "make_keys", "rotate_token_key"]
