"""Cases between protobuf and dataclasses."""
