#!/usr/bin/env python3
"""Push an image of Docker into the registry as the product does, with the login that it makes for that; prints the image's name by digest.

    push.py REGISTRY-CONTAINER IMAGE ENDPOINT/REPOSITORY:TAG
"""

from __future__ import annotations

import sys

from ansible_collections.todochat.platform.plugins.module_utils.images.writer import writer

if __name__ == "__main__":
    container, image, wanted = sys.argv[1:]
    endpoint, _, rest = wanted.partition("/")
    repository, _, tag = rest.rpartition(":")
    with writer(container) as way:
        print(f"{endpoint}/{repository}@{way.push(image, repository, tag)}")
