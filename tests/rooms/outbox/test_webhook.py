"""Webhooks against a real HTTP server: signatures, and every way in which a receiver misbehaves."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import standardwebhooks

from freehold.errors import InputError, WebhookForged
from freehold.events import MessageDead, MessageDelivered, MessageFailed
from freehold.runtime.webhook import Verifier, Webhook, signed_headers

from .conftest import Post
from .receiver import Receiver, receiving

KEY = b"0123456789abcdef01234567"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER = "whsec_" + base64.b64encode(KEY[::-1]).decode()


@contextmanager
def hooked(*answers: int, timeout: float = 5.0, **headers: str) -> Iterator[tuple[Receiver, Webhook]]:
    """A receiver and the target that posts to it."""
    with receiving(*answers, **headers) as receiver, Webhook(receiver.url, SECRET, timeout=timeout) as target:
        yield receiver, target


def test_a_message_arrives_signed(post: Post) -> None:
    with hooked(204) as (receiver, target):
        post.send("größer ☃", topic="invoice.paid", key="invoice 1")
        assert post.relay(target).run_once() == 1
    [request] = receiver.requests
    body = standardwebhooks.Webhook(SECRET).verify(request.body, request.headers)
    assert (body["type"], body["data"], body["key"]) == ("invoice.paid", "größer ☃", "invoice 1")
    assert Verifier(SECRET).verify(request.headers, request.body) == request.headers["webhook-id"] == body["id"]
    assert request.headers["content-type"] == "application/json"
    assert len(post.events(MessageDelivered)) == 1


@pytest.mark.parametrize("status", [500, 503, 429, 408, 302, -1])
def test_what_may_pass_is_tried_again_with_the_same_token(post: Post, status: int) -> None:
    with hooked(status, 200) as (receiver, target):
        post.send("a")
        assert post.relay(target).run_once() == 2
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert (len(post.events(MessageFailed)), len(post.events(MessageDelivered))) == (1, 1)


@pytest.mark.parametrize("status", [410, 400, 401, 404, 422])
def test_a_refusal_is_a_dead_letter_at_once(post: Post, status: int) -> None:
    with hooked(status) as (receiver, target):
        post.send("a")
        assert post.relay(target).run_once() == 1
    assert len(receiver.requests) == 1
    [dead] = post.events(MessageDead)
    assert str(status) in dead.error
    assert post.states == (1, 0, 1)


def test_a_receiver_that_hangs_is_given_up(post: Post) -> None:
    with hooked(0, 200, timeout=0.3) as (receiver, target):
        post.send("a")
        began = time.monotonic()
        assert post.relay(target).run_once() == 2
        assert time.monotonic() - began < 10
    assert len(receiver.requests) == 2
    [failed] = post.events(MessageFailed)
    assert "ReadTimeout" in failed.error
    assert post.states == (1, 1, 0)


def test_a_receiver_that_is_not_there_is_given_up_in_the_end(post: Post) -> None:
    with receiving(200) as receiver:
        pass
    with Webhook(receiver.url, SECRET) as target:
        post.send("a")
        assert post.relay(target).run_once() == 3
    assert post.states == (1, 0, 1)


def test_retry_after_is_heeded(post: Post) -> None:
    with hooked(429, retry_after="0.5") as (_, target):
        post.send("a")
        post.relay(target).run_once()
    assert {event.wait_seconds for event in post.events(MessageFailed)} == {0.0}
    with hooked(503, retry_after="1") as (_, target):
        post.send("b")
        post.relay(target).run_once()
    # The bound of waits holds for a receiver's wishes too.
    assert post.events(MessageFailed)[-1].wait_seconds == 0.5


def test_while_a_secret_is_replaced_both_sign_and_either_is_taken() -> None:
    target = Webhook("http://127.0.0.1/", [SECRET, OTHER])
    headers = signed_headers(target._keys, "msg_1", b"{}")
    for secret in (SECRET, OTHER):
        assert Verifier(secret).verify(headers, b"{}") == "msg_1"
        standardwebhooks.Webhook(secret).verify(b"{}", headers)
    assert Verifier([OTHER, SECRET]).verify(signed_headers([KEY], "msg_1", b"{}"), b"{}") == "msg_1"
    target.close()


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        ({}, b'{"a": 2}'),
        ({"webhook-id": "msg_2"}, b"{}"),
        ({"webhook-id": ""}, b"{}"),
        ({"webhook-timestamp": "0"}, b"{}"),
        ({"webhook-timestamp": "nan"}, b"{}"),
        ({"webhook-timestamp": str(int(time.time()) + 3600)}, b"{}"),
        ({"webhook-signature": ""}, b"{}"),
        ({"webhook-signature": "v1"}, b"{}"),
        ({"webhook-signature": "v1,"}, b"{}"),
        ({"webhook-signature": "v1,ü"}, b"{}"),
        ({"webhook-signature": "v1a,AAAA v1,AAAA"}, b"{}"),
    ],
)
def test_a_forged_request_is_refused(changed: dict[str, str], body: bytes) -> None:
    headers = signed_headers([KEY], "msg_1", b"{}") | changed
    with pytest.raises(WebhookForged):
        Verifier(SECRET).verify(headers, body)


def test_a_request_of_another_secret_is_refused() -> None:
    with pytest.raises(WebhookForged):
        Verifier(OTHER).verify(signed_headers([KEY], "msg_1", b"{}"), b"{}")


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", SECRET[6:], "whsec_%%%%", "whsec_" + "A" * 100, []])
def test_a_secret_that_is_none_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(InputError) as caught:
        Webhook("https://example.org/", secret)
    assert not secret or len(secret) < 8 or secret not in str(caught.value)


def test_nothing_shows_the_secret() -> None:
    with Webhook("https://example.org/hook", SECRET) as target:
        assert repr(target) == "Webhook('https://example.org/hook')"
    assert SECRET not in repr(Verifier(SECRET))


@pytest.mark.parametrize("url", ["ftp://example.org/", "https://[::1", "https://", "https:///path", "example.org"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        Webhook(url, SECRET)


def test_the_envelope_is_json(post: Post) -> None:
    with hooked(200) as (receiver, target):
        post.send("a", topic="x")
        post.relay(target).run_once()
    assert set(json.loads(receiver.requests[0].body)) == {"type", "timestamp", "data", "id", "key", "owner"}
