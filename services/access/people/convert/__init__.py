"""The facts between protobuf and dataclasses."""
