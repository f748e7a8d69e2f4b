"""Where and how a language model is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible endpoint.

    Attributes:
        base_url: address up to and without /chat/completions, such as http://localhost:8000/v1.
        model: as the endpoint names it.
        key: name of the environment variable that holds the key; "" where none is needed.
        requests_per_minute: of each worker; 0 means no limit.
        timeout: seconds for one request.
        attempts: tries of one request, with exponential back-off between them.
        max_output_tokens: longest answer.
    """

    base_url: str
    model: str
    key: str = ""
    requests_per_minute: int = 0
    timeout: float = 120.0
    attempts: int = 5
    max_output_tokens: int = 2048
