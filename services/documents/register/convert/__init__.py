"""Papers in protobuf, sealed and packed."""
