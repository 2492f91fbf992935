"""Scripted participants: they take a place on the stand-in, open our pages over HTTP as a browser would, and do what they are told to.

They know nothing but what the pages show: the sound check is heard by counting tones in its audio, the questions are read from the
trial page, the completion code from the last one.
"""

import html
import io
import json
import random
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urljoin, urlsplit

import numpy as np
import requests
import soundfile

from listening.standin.records import Person, Refused, Submission

if TYPE_CHECKING:
    from listening.standin import StandIn

_TIMEOUT_S = 30
Answers = dict[str, Any]


class LostError(Exception):
    """A participant stands before a page that lets them go no further."""


@dataclass
class Visit:
    """One participant in one browser. page: the response they look at."""

    person: Person
    submission: Submission
    browser: requests.Session = field(repr=False)
    page: requests.Response = field(repr=False)

    @property
    def step(self) -> str:
        """The last part of the page's path: consent, check, trial or done."""
        return urlsplit(self.page.url).path.rstrip("/").rpartition("/")[2]

    def post(self, form: Mapping[str, str]) -> None:
        self.page = self.browser.post(self.page.url, data=dict(form), timeout=_TIMEOUT_S)

    def fetch(self, address: str) -> requests.Response:
        return self.browser.get(urljoin(self.page.url, address), timeout=_TIMEOUT_S)


def arrive(standin: "StandIn", study_id: str, participant_id: str) -> Visit:
    """Take a place and open the study. Raises Refused where the stand-in lets nobody in; what our page says is the visit's page."""
    submission = standin.reserve(study_id, participant_id)
    browser = requests.Session()
    page = browser.get(standin.open_study(submission), timeout=_TIMEOUT_S)
    return Visit(standin.world.people[participant_id], submission, browser, page)


def consent(visit: Visit) -> None:
    """Agree, and say one's sex if the page asks."""
    visit.post({"consent": "on", "stratum": visit.person.sex.lower(), "agree": "1"})


def hear_check(visit: Visit, right: bool = True) -> None:
    """Answer the sound check with the number of tones that its audio holds, or with another number."""
    address = re.search(r'data-audio-url="([^"]+)"', visit.page.text)
    attempt = re.search(r'name="try" value="([^"]+)"', visit.page.text)
    if address is None or attempt is None:
        raise LostError("The sound check has no audio.")
    count = count_tones(visit.fetch(html.unescape(address[1])).content)
    visit.post({"try": attempt[1], "item-1": str(count if right else count % 9 + 1), "answer": "1"})


def count_tones(audio: bytes) -> int:
    """How many stretches of sound a recording holds: rises of the level, in frames of 10 ms, above a tenth of its peak."""
    samples, rate = soundfile.read(io.BytesIO(audio))
    frame = int(rate / 100)
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    level = np.abs(mono[: len(mono) // frame * frame]).reshape(-1, frame).max(axis=1)
    loud = np.concatenate([[False], level > 0.1 * level.max()])
    return int(np.count_nonzero(loud[1:] & ~loud[:-1]))


def rate(visit: Visit, rng: random.Random, hear: Callable[[float], object] = time.sleep, most: int | None = None) -> None:
    """Hear and answer the trials that are open, at most so many. hear: called with a clip's seconds, and waits as long."""
    page = visit.page.text
    block = re.search(r'<script id="session-data" type="application/json">(.*?)</script>', page, re.DOTALL)
    if block is None:
        raise LostError(f"There is no trial on {visit.step}.")
    state = json.loads(block[1])
    questions = read_questions(page)
    for trial in [each for each in state["trials"] if not each["answered"]][:most]:
        clips = [clip for clip in (trial, trial.get("second")) if clip]
        plays = max(1, sum(scale["own_listening"] for scale in state["scales"]))
        for clip in clips:
            visit.fetch(clip["audio_url"]).raise_for_status()
            hear(plays * float(clip["duration_s"]))
        body: Any = {
            "idempotency_key": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "answers": answer(questions, rng),
            "listening": {"plays": plays, "heard_share": 1.0, "heard_shares": [1.0] * len(clips)},
        }
        address = urljoin(visit.page.url, f"{state['api_url']}trials/{trial['position']}/ratings/")
        said = visit.browser.post(address, json=body, timeout=_TIMEOUT_S)
        if not said.ok:
            raise LostError(f"A rating was answered with {said.status_code}: {said.text[:200]}")
    visit.page = visit.fetch(state["done_url"])


def read_questions(page: str) -> dict[str, tuple[str, list[str]]]:
    """The questions of a trial page: scale to its kind and the values it offers."""
    found = {}
    for scale, kind, inner in re.findall(r'data-scale="(\w+)" data-kind="(\w+)"(.*?)</fieldset>', page, re.DOTALL):
        values = re.findall(r'<input type="\w+" name="\w+" value="([^"]*)"', inner)
        found[scale] = (kind, [html.unescape(value) for value in values])
    return found


def answer(questions: Mapping[str, tuple[str, list[str]]], rng: random.Random) -> Answers:
    """Some answer to each question; never "other", which asks for a word."""
    return {
        scale: [rng.choice([value for value in values if value != "other"])] if kind == "labels" else int(rng.choice(values))
        for scale, (kind, values) in questions.items()
    }


def code_of(visit: Visit) -> str:
    """The completion code that the page gives, "" if it gives none."""
    link = re.search(r'href="([^"]*/submissions/complete\?[^"]*)"', visit.page.text)
    return parse_qs(urlsplit(html.unescape(link[1])).query).get("cc", [""])[0] if link else ""


def submit(standin: "StandIn", visit: Visit) -> str:
    """Go back to the stand-in with the page's code; returns it. Raises LostError if there is none."""
    code = code_of(visit)
    if not code:
        raise LostError(f"The page {visit.step} ({visit.page.status_code}) gives no code.")
    standin.complete(visit.submission, code)
    return code


# Behaviours: each takes the stand-in, a visit that has arrived, a generator, and how long hearing takes.


def finish(standin: "StandIn", visit: Visit, rng: random.Random, hear: Callable[[float], object] = time.sleep) -> None:
    """Do everything and come back with the code, whatever page ends the way."""
    if visit.step == "consent":
        consent(visit)
    if visit.step == "check":
        hear_check(visit)
    if visit.step == "trial":
        rate(visit, rng, hear)
    submit(standin, visit)


def give_back(standin: "StandIn", visit: Visit, rng: random.Random, hear: Callable[[float], object] = time.sleep) -> None:
    """Begin, rate one clip, and return the submission."""
    begin(standin, visit, rng, hear)
    standin.give_back(visit.submission)


def begin(standin: "StandIn", visit: Visit, rng: random.Random, hear: Callable[[float], object] = time.sleep) -> None:
    """Begin, rate one clip, and never come back: the clock times the submission out."""
    if visit.step == "consent":
        consent(visit)
    if visit.step == "check":
        hear_check(visit)
    if visit.step == "trial":
        rate(visit, rng, hear, most=1)


def fail(standin: "StandIn", visit: Visit, rng: random.Random, hear: Callable[[float], object] = time.sleep) -> None:
    """Miscount the tones until the study ends, and come back with its code."""
    if visit.step == "consent":
        consent(visit)
    while visit.step == "check":
        hear_check(visit, right=False)
    submit(standin, visit)


def decline(standin: "StandIn", visit: Visit, rng: random.Random, hear: Callable[[float], object] = time.sleep) -> None:
    """Do not consent, and come back with the code for that."""
    visit.post({"decline": "1"})
    submit(standin, visit)


def forget_code(standin: "StandIn", visit: Visit, rng: random.Random, hear: Callable[[float], object] = time.sleep) -> None:
    """Do everything and come back without the code."""
    if visit.step == "consent":
        consent(visit)
    if visit.step == "check":
        hear_check(visit)
    if visit.step == "trial":
        rate(visit, rng, hear)
    standin.complete(visit.submission, "")


Behaviour = Callable[..., None]
BEHAVIOURS: dict[str, Behaviour] = {
    "finish": finish,
    "return": give_back,
    "time_out": begin,
    "fail": fail,
    "decline": decline,
    "forget_code": forget_code,
}


def send(
    standin: "StandIn", study_id: str, count: int, behaviour: Behaviour, hear: Callable[[float], object] = time.sleep
) -> int:
    """Send people who have not taken part yet, until so many were let in; returns how many were."""
    tried = {each.participant_id for each in standin.world.of_study(study_id)}
    sent = 0
    for person in [each for each in standin.world.people.values() if each.id not in tried]:
        if sent == count:
            break
        try:
            visit = arrive(standin, study_id, person.id)
        except Refused:
            continue
        sent += 1
        behaviour(standin, visit, random.Random(person.id), hear)
    return sent
