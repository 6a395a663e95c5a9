"""The gateway: an Envoy bootstrap rendered from the descriptors, one source for the launcher and for the chart."""

from deploy.gateway.bootstrap import render
from deploy.gateway.settings import Address, Limit, Settings

__all__ = ["Address", "Limit", "Settings", "render"]
