from __future__ import annotations

from pathlib import Path

import pytest

from ken.errors import InvalidSetting
from ken.settings import load
from ken.telemetry.otel.destination import Destination


def destination(home: Path, text: str = "") -> Destination | None:
    """Where the settings of a home send traces to."""
    home.mkdir(exist_ok=True)
    (home / "ken.toml").write_text(text, "utf-8")
    return load(home).telemetry.destination


def test_nothing_is_sent_where_nobody_says_so(home: Path) -> None:
    """Without an endpoint there is no destination."""
    assert destination(home) is None
    assert destination(home, "[telemetry]\nshare = 0.5\n") is None


def test_the_file_names_a_collector(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signals' paths are added; headers come from the variable that is named."""
    monkeypatch.setenv("COLLECTOR", "authorization=Bearer%20abc,x-team=ops")
    found = destination(home, '[telemetry]\nendpoint = "http://localhost:4318/"\nheaders_env = "COLLECTOR"\n')
    assert found is not None
    assert found.traces_url == "http://localhost:4318/v1/traces"
    assert found.metrics_url == "http://localhost:4318/v1/metrics"
    assert found.headers == {"authorization": "Bearer abc", "x-team": "ops"}
    assert "abc" not in repr(found)


def test_standard_variables_come_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As OpenTelemetry has them: endpoint, headers, service name, resource, the opt-in to newer conventions."""
    for name, value in {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://other:4318/otlp",
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret",
        "OTEL_SERVICE_NAME": "answers",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=no,deployment.environment.name=prod",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http, gen_ai_latest_experimental",
    }.items():
        monkeypatch.setenv(name, value)
    found = destination(home, '[telemetry]\nendpoint = "http://localhost:4318"\nservice_name = "mine"\n')
    assert found is not None
    assert (found.traces_url, found.service_name, found.convention) == (
        "http://other:4318/otlp/v1/traces",
        "answers",
        "latest",
    )
    assert found.resource == {"deployment.environment.name": "prod"}
    assert found.headers == {"api-key": "secret"}


def test_an_endpoint_for_traces_alone_is_taken_as_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is a whole address, and says nothing of metrics."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other:4318/in")
    found = destination(home)
    assert found is not None
    assert (found.traces_url, found.metrics_url) == ("http://other:4318/in", None)


def test_the_sdk_can_be_switched_off(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_SDK_DISABLED=true sends nothing, whatever else is set."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "True")
    assert destination(home, '[telemetry]\nendpoint = "http://localhost:4318"\n') is None


@pytest.mark.parametrize(
    ("text", "variables", "words"),
    [
        ('[telemetry]\nendpoint = "http://user:pw@h"\n', {}, "headers_env"),
        ('[telemetry]\nheaders = "a=b"\n', {}, "never stand"),
        ('[telemetry]\nheaders_env = "UNSET_HEADERS"\n', {}, "UNSET_HEADERS"),
        ("", {"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"}, "http://localhost:4318"),
        ("", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_with_its_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: str, variables: dict[str, str], words: str
) -> None:
    """A password in an address, headers in the file, a variable that isn't set, an address without a scheme, gRPC."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting, match=words) as refused:
        destination(home, text)
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("held", ["nonsense", "=no-name", "two words=1", "a=1,b", "x=%0Aevil"])
def test_what_are_no_headers_is_refused_and_not_repeated(
    home: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    """A key that stands there alone would be left out in silence, and the collector would refuse everything."""
    monkeypatch.setenv("COLLECTOR", held)
    text = '[telemetry]\nendpoint = "http://localhost:4318"\nheaders_env = "COLLECTOR"\n'
    with pytest.raises(InvalidSetting, match=r"'COLLECTOR'.*holds no headers.*authorization=Bearer%20abc") as caught:
        destination(home, text)
    assert held not in str(caught.value)
    assert load(home, secrets=()).telemetry.destination is None
