"""HTTP: the API, the OpenAI-compatible door and the page."""
