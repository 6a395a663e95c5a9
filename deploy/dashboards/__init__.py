"""Grafana dashboards, made from Python."""
