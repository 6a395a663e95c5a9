"""PostgreSQL's share of the machine on which the launcher runs it."""

import pytest

from deploy.local.postgres import size_memory

GB = 1 << 30


@pytest.mark.parametrize(
    ("machine", "own", "counted_on"),
    [(1 * GB, "128MB", "512MB"), (8 * GB, "512MB", "4096MB"), (23 * GB, "1472MB", "11776MB"), (256 * GB, "2048MB", "131072MB")],
)
def test_the_cache_grows_with_the_machine_within_bounds(machine: int, own: str, counted_on: str) -> None:
    assert size_memory(machine) == {"shared_buffers": own, "effective_cache_size": counted_on}
