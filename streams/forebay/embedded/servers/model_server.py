"""How does a local model serve? llama.cpp's OpenAI-compatible server, in a process of its own.

Run as ``python -m forebay.embedded.servers.model_server`` by the supervisor. Nothing of a prompt is logged or shown:
llama.cpp's page of slots, which has the texts, stays off.
"""

import argparse
import signal
import sys
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> None:
    """Load the model and serve until SIGTERM. Exits with status 1 if the model cannot be loaded."""
    parser = argparse.ArgumentParser(prog="model_server")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--alias", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True, help="requests that are generated at once")
    parser.add_argument("--context", type=int, required=True, help="tokens of prompt and answer of one request")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--template", type=Path, help="Jinja chat template; by default the model's own")
    parser.add_argument("--stop", action="append", default=[], help="ends an answer unless the request names others")
    options = parser.parse_args(arguments)

    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)  # before llama.cpp's threads are there to get them
    import xllamacpp

    server = xllamacpp.Server(configure(xllamacpp.CommonParams(), options))
    print(f"{options.alias} serves on {server.listening_address}", flush=True)  # noqa: T201 - goes to the part's log
    signal.sigwait(stopping)


def configure(params: Any, options: argparse.Namespace) -> Any:
    """llama.cpp's parameters for ``options``."""
    params.model.path = str(options.model)
    params.model_alias = {options.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_parallel = options.slots
    params.n_ctx = options.slots * options.context
    params.n_gpu_layers = 0
    params.fit_params = False  # it would load the model twice to see what fits a GPU
    params.warmup = False
    params.n_threads_http = options.slots + 2
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = options.threads
        cpu.poll = 0  # waiting threads must not take a core from the workers
    params.cache_ram_mib = 64
    params.endpoint_slots = False
    params.ui = False
    params.verbosity = 1
    if options.template is not None:
        params.chat_template = options.template.read_text("utf-8")
    params.antiprompt = [stop.encode().decode("unicode_escape") for stop in options.stop]
    return params


if __name__ == "__main__":
    main(sys.argv[1:])
