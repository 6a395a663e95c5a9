"""Convert of cases."""
