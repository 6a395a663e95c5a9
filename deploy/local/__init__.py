"""Diary on one machine: real PostgreSQL, NATS and Envoy, the services and the portal, started and kept up."""
