"""Rate limits: a bucket for each principal and class of routes, shared by all processes through the read database."""

from infra.limiting.address import Addresses, Networks, networks
from infra.limiting.limiter import SharedLimiter
from infra.limiting.shared import SharedBuckets

__all__ = ["Addresses", "Networks", "SharedBuckets", "SharedLimiter", "networks"]
