"""The hash that a head's signature names (Clause R22)."""

from gostcrypto import gosthash


def hash_streebog(file: bytes) -> tuple[bytes, bytes]:
    """Streebog-256 and Streebog-512 (GOST R 34.11-2012). Some 4 s a megabyte each: once a paper, outside the event loop."""
    return tuple(bytes(gosthash.new(name, data=bytearray(file)).digest()) for name in ("streebog256", "streebog512"))  # type: ignore[return-value]  # two names, two hashes
