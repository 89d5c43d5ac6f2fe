"""Waits and allowances, read from the headers in all the forms that were seen."""

import pytest

from hubindex.sources.http.rate_headers import RateHeaders, named_wait, rate_headers, retry_wait

NOW = 1_746_136_878.0  # 2025-05-01T22:01:18Z


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "60"}, 60),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "1746136938"}, 60),
        ({"Retry-After": "Thu, 01 May 2025 22:02:00 GMT"}, 42),
        ({"Retry-After": "Thursday, 01-May-25 22:02:00 GMT"}, 42),
        ({"X-Retry-After": "1746136908"}, 30),
        ({"X-Retry-After": "30"}, 30),
        ({"Retry-After": "soon", "X-Retry-After": "30"}, 30),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "86400"}, 120),
        ({"Retry-After": "999999999"}, 120),
        ({"Retry-After": "1646136938"}, 1),
        ({"Retry-After": "9999999999"}, 120),
        ({"Retry-After": "Thu, 01 May 1925 22:02:00 GMT"}, 1),
        ({}, 60),
        ({"Retry-After": ""}, 60),
        ({"Retry-After": "-5"}, 60),
        ({"Retry-After": "1e3"}, 60),
        ({"Retry-After": "٦٠"}, 60),
        ({"Retry-After": "9" * 5000}, 60),
        ({"Retry-After": "Thu, 99 May 2025 22:02:00 GMT"}, 60),
    ],
)
def test_a_wait_is_read_in_every_form(headers: dict[str, str], seconds: float) -> None:
    """Seconds, a unix time or a date, between one second and two minutes; a minute if nothing is understood."""
    assert retry_wait(headers, NOW) == seconds


def test_an_answer_need_not_name_a_wait() -> None:
    """Only a 429 is waited for without being told how long."""
    assert named_wait({}, NOW) is None
    assert named_wait({"Retry-After": "5"}, NOW) == 5


@pytest.mark.parametrize(
    ("limit", "remaining", "reset", "expected"),
    [
        ("180", "179", "1746136938", RateHeaders(180, 179, 1_746_136_938)),
        ("600", "-534", "1746136938", RateHeaders(600, -534, 1_746_136_938)),
        ("0", "0", "0", RateHeaders(None, 0, None)),
        ("-1", "1.5", "60", RateHeaders(None, None, None)),
        ("100;w=21600", "20;w=21600", "tomorrow", RateHeaders(None, None, None)),
        ("9" * 12, "-" + "9" * 12, "9" * 12, RateHeaders(None, None, None)),
        ("9" * 5000, "", " ", RateHeaders(None, None, None)),
    ],
)
def test_what_is_absurd_is_not_there(limit: str, remaining: str, reset: str, expected: RateHeaders) -> None:
    """Each header is believed or not by itself."""
    headers = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset}
    assert rate_headers(headers) == expected


def test_other_headers_do_not_count() -> None:
    """A registry's headers count pulls, not requests."""
    pulls = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "20;w=21600"}
    assert rate_headers(pulls) == RateHeaders(None, None, None)
