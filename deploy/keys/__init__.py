"""The keys of an installation: for users' tokens, for each service, the public sets of both, and the authority of seals."""

from deploy.keys.keys import SERVICES, KeysError, make_keys, publish_token_key, rotate_factor_key, sign_with_token_key

__all__ = ["SERVICES", "KeysError", "make_keys", "publish_token_key", "rotate_factor_key", "sign_with_token_key"]
