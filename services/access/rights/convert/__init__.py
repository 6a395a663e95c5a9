"""Rights between protobuf and dataclasses."""
