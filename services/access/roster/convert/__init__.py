"""The lists between protobuf, files and dataclasses."""
