"""The charts' tests need Helm and the packages, which `make charts` brings."""

import pytest

from deploy.charts.build import OUT
from deploy.charts.tools import HELM


@pytest.fixture(autouse=True)
def _packaged() -> None:
    if not (HELM.exists() and any(OUT.glob("diary-*.tgz"))):
        pytest.skip("Helm and the packaged charts are not here; `make charts` brings them")
