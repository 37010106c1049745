"""Every tag alone where all is there: nothing is left to do."""

from __future__ import annotations

import pytest
from conftest import Tester
from site_tags import distinct_tags


@pytest.mark.parametrize("tag", distinct_tags())
def test_each_tag_changes_nothing(tester: Tester, tag: str) -> None:
    tester.up_changes_nothing(f"--tags {tag}")
