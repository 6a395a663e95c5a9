"""Protobuf to values and back."""
