"""The journal's week, access's roster, runs and terms in protobuf."""
