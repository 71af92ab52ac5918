"""HTTP on a real socket."""

import gzip
import http.client
import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from connectors.sandbox.server import Server, serve_forever

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_query_path_and_body_arrive_decoded(server: Server, client: requests.Session) -> None:
    listed = client.get(f"{server.url}/notes?q=a+b&q=%2B&empty=").json()
    single = client.get(f"{server.url}/notes/x%2Fy%20z/").json()
    made = client.post(f"{server.url}/notes", json={"ö": 1})

    assert listed["query"] == {"q": ["a b", "+"], "empty": [""]}
    assert single == {"id": "x/y z"}
    assert (made.status_code, made.json()) == (201, {"ö": 1})


def test_a_chunked_and_a_compressed_body_are_read(server: Server, client: requests.Session) -> None:
    chunked = client.post(f"{server.url}/notes", data=iter([b'{"a"', b": 2}"]))
    packed = client.post(f"{server.url}/notes", data=gzip.compress(b'{"a": 3}'), headers={"Content-Encoding": "gzip"})

    assert (chunked.json(), packed.json()) == ({"a": 2}, {"a": 3})


def test_one_connection_serves_many_calls(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]))
    answers = []
    for _ in range(3):
        connection.request("GET", "/notes/1", headers={"Authorization": "Bearer sandbox"})
        answers.append(json.loads(connection.getresponse().read()))
        kept = connection.sock
    connection.close()

    assert answers == [{"id": "1"}] * 3
    assert kept is not None, "the server closed the connection"


def test_head_and_body_leave_in_one_piece(server: Server) -> None:
    # A second small send would wait for the delayed acknowledgement of the first: 40 ms a call.
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as line:
        line.sendall(b"GET /notes/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox\r\n\r\n")
        first = line.recv(65_536)

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert first.endswith(b'{"id":"1"}')


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("identity", None)])
def test_long_bodies_are_compressed_for_those_who_ask(
    server: Server, client: requests.Session, accepted: str, encoding: str | None
) -> None:
    answer = client.get(f"{server.url}/text", headers={"Accept-Encoding": accepted})

    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.content.decode() == "ä" * 2000
    assert answer.headers["Content-Type"] == "text/plain"


def test_a_204_has_neither_body_nor_length(server: Server, client: requests.Session) -> None:
    answer = client.get(f"{server.url}/notes/all")

    assert (answer.status_code, answer.content, "Content-Length" in answer.headers) == (204, b"", False)


def test_the_date_header_is_the_emulators_clock(server: Server, client: requests.Session) -> None:
    client.post(f"{server.url}/__clock", json={"skew_seconds": 90})

    answer = client.get(f"{server.url}/notes")

    assert parsedate_to_datetime(answer.headers["Date"]) == NOW + timedelta(seconds=90)
    assert client.get(f"{server.url}/__clock").json()["skew_seconds"] == 90


def test_an_overlong_target_is_refused_in_html(server: Server, client: requests.Session) -> None:
    answer = client.get(f"{server.url}/notes?q={'x' * 20_000}")

    assert (answer.status_code, answer.headers["Content-Type"]) == (414, "text/html")


def test_a_line_that_is_no_http_is_refused(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as line:
        line.sendall(b"hello\r\n\r\n")
        answer = line.recv(100)

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_an_emulators_own_defect_is_a_500_and_the_server_lives_on(
    server: Server, client: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    broken = client.get(f"{server.url}/crash")
    next_one = client.get(f"{server.url}/notes/1")

    assert (broken.status_code, next_one.status_code) == (500, 200)
    assert "an emulator's own defect" in caplog.text


def test_stopping_ends_open_connections(client: requests.Session, toy: Any) -> None:
    server = Server(toy).start()
    client.get(f"{server.url}/notes")

    server.stop()

    with pytest.raises(requests.ConnectionError):
        client.get(f"{server.url}/notes")


def test_serving_in_the_foreground_serves_until_it_is_interrupted(monkeypatch: pytest.MonkeyPatch, toy: Any) -> None:
    asked = threading.Event()

    def interrupted(self: Any, poll_interval: float) -> None:
        asked.set()
        raise KeyboardInterrupt

    monkeypatch.setattr("connectors.sandbox.server._Listener.serve_forever", interrupted)

    with pytest.raises(KeyboardInterrupt):
        serve_forever(toy, 0)

    assert asked.is_set()
    assert toy.url.startswith("http://127.0.0.1:")


def test_a_cut_closes_the_connection_in_mid_body(server: Server, client: requests.Session) -> None:
    client.post(f"{server.url}/__faults", json={"name": "cut"})

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get(f"{server.url}/notes")

    assert client.get(f"{server.url}/notes").ok


def test_a_truncated_body_comes_in_good_http(server: Server, client: requests.Session) -> None:
    client.post(f"{server.url}/__faults", json={"name": "truncated"})

    answer = client.get(f"{server.url}/notes")

    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
