"""Between protobuf, dataclasses and paper; pure."""
