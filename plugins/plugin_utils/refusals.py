"""Why this run ends before it has begun, for the view that tells it."""

from __future__ import annotations

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError

REFUSALS: list[UserError] = []
