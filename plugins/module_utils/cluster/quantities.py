"""Quantities as Kubernetes writes them."""

from __future__ import annotations

import re

UNITS = {
    "m": 1e-3, "": 1.0,
    **{unit: 1000.0**power for power, unit in enumerate("kMGTP", 1)},
    **{f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTP", 1)},
}


def number(quantity: object) -> float:
    """The number that a quantity is, such as 0.25 for 250m and 1073741824 for 1Gi; 0 for what is none."""
    matched = re.fullmatch(r"([0-9.]+(?:e[0-9]+)?)(m|[kMGTP]|[KMGTP]i)?", str(quantity))
    return float(matched[1]) * UNITS[matched[2] or ""] if matched else 0.0
