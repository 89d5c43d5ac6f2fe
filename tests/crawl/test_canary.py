"""What it takes until a *no* of Docker Hub is believed."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hubindex.crawl.canary import CanaryCheck
from hubindex.errors import Blocked, NotFound, Unreachable
from hubindex.sources.http.client import HttpClient
from hubindex.sources.hub.client import DockerHub
from tests.fakehub import FakeHub
from tests.fakehub.weather import not_found, server_error

CANARY = "/v2/namespaces/library/repositories/hello-world"


class Question:
    """Answers one thing after the other, the last for ever; counts how often it was asked."""

    def __init__(self, *answers: int | Exception) -> None:
        self.asked = 0
        self._answers = answers

    async def __call__(self) -> int:
        """Be asked."""
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


def is_zero(answer: int) -> bool:
    return answer == 0


def believe(
    hub: FakeHub, story: Callable[[CanaryCheck], Awaitable[int]], now: Callable[[], float] = lambda: 0.0
) -> int:
    """What a story about a canary in a served Hub comes to."""

    async def telling() -> int:
        async with hub.serve() as url, HttpClient(tries=1) as http:
            return await story(CanaryCheck(DockerHub(http, url), now))

    return asyncio.run(telling())


def ask(hub: FakeHub, question: Question) -> int:
    return believe(hub, lambda canary: canary.ask(question, is_zero))


def test_a_plain_answer_is_believed_at_once() -> None:
    """It is asked once, and nobody asks for the canary."""
    hub, question = FakeHub(), Question(5)
    assert ask(hub, question) == 5
    assert (question.asked, hub.paths()) == (1, [])


@pytest.mark.parametrize("first", [0, NotFound("gone")])
def test_a_no_that_becomes_a_yes_was_a_fault(first: int | Exception) -> None:
    """Nothing, or not found, and then an answer: that counts."""
    hub, question = FakeHub(), Question(first, 5)
    assert ask(hub, question) == 5
    assert hub.paths() == [CANARY]


def test_a_lasting_404_is_believed_the_third_time() -> None:
    """As long as what must be there is there."""
    hub, question = FakeHub(), Question(NotFound("gone"))
    with pytest.raises(NotFound, match="gone"):
        ask(hub, question)
    assert question.asked == 3


def test_a_lasting_nothing_is_believed_the_third_time() -> None:
    """It is the answer then."""
    hub, question = FakeHub(), Question(0)
    assert ask(hub, question) == 0
    assert question.asked == 3


def test_a_hub_without_its_canary_is_not_believed() -> None:
    """It denies what must be there: whatever else it says means nothing, and no more is asked."""
    hub, question = FakeHub(), Question(NotFound("gone"))
    hub.disturb("", not_found())
    with pytest.raises(Blocked, match="library/hello-world does not exist either"):
        ask(hub, question)
    assert question.asked == 1


def test_a_canary_that_cannot_be_asked_for_proves_nothing() -> None:
    """The failure is told as it is."""
    hub = FakeHub()
    hub.disturb("hello-world", server_error())
    with pytest.raises(Unreachable):
        ask(hub, Question(0))


def test_other_errors_are_not_doubted() -> None:
    """They are no *no*."""
    hub, question = FakeHub(), Question(Unreachable("no connection"))
    with pytest.raises(Unreachable):
        ask(hub, question)
    assert (question.asked, hub.paths()) == (1, [])


def test_the_canary_is_asked_for_once_a_minute() -> None:
    """However many doubts there are, at once or one after the other."""
    hub, times = FakeHub(), iter([0.0, 0.0, 30.0, 59.9, 60.0, 60.0, 61.0])

    async def story(canary: CanaryCheck) -> int:
        for _ in range(5):
            await canary.ask(Question(0, 1), is_zero)
        return len(hub.requests)

    assert believe(hub, story, lambda: next(times)) == 2


def test_doubts_at_the_same_time_share_one_look() -> None:
    """One asks, the others wait for what it finds."""
    hub = FakeHub()

    async def story(canary: CanaryCheck) -> int:
        await asyncio.gather(*(canary.ask(Question(0), is_zero) for _ in range(10)))
        return len(hub.requests)

    assert believe(hub, story) == 1
