"""Simulated raters: they take a study over real HTTP, so that everything is tried before a person is paid.

A simulated rater judges what the codec did to the signal: the further a stimulus lies from its original in log spectrum, the lower
its ratings and the likelier a mistaken emotion. Raters differ in bias and carefulness; some may guess, or leave half-way. What they
answer is marked as simulated wherever it shows, and says nothing about how people hear.
"""

import json
import math
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

import numpy as np
import soundfile
from django.utils import timezone

from analysis.scales import Scale
from listening.models import Session, Stimulus, Study, Trial
from listening.prolific import Link
from listening.services.asking import n_listenings, reference_comes_first, screen_of, study_tasks
from listening.services.balance import free_plans
from listening.services.checks import guessed_form, right_form
from listening.services.errors import ServiceError
from listening.services.sessions import expire_sessions, plain_link, simulation_mark
from listening.services.simulated_browsers import Browser, OverHttp
from listening.services.stimuli import store

Progress = Callable[[Iterable[int]], Iterable[int]]


@dataclass(frozen=True)
class Simulated:
    """One simulated rater."""

    link: Link
    stratum: str
    bias: float
    noise: float
    rng: np.random.Generator
    #: Answers without listening: guesses in the screening and among the trials.
    careless: bool = False
    #: Share of the trials after which the page is closed for good; None for somebody who finishes.
    leaves_after: float | None = None


def draw_rater(rng: np.random.Generator, stratum: str, careless: float = 0.0, leaving: float = 0.0) -> Simulated:
    """A rater of a stratum. careless, leaving: how likely they answer without listening, and close the page half-way."""
    link = Link(*(rng.bytes(12).hex() for _ in range(3)))
    bias, noise = float(rng.normal(0, 0.35)), float(rng.uniform(0.4, 0.8))
    guesses = bool(careless and rng.random() < careless)
    leaves = float(rng.random()) if leaving and rng.random() < leaving else None
    return Simulated(link, stratum, bias, noise, rng, guesses, leaves)


def log_spectral_distance(reference: np.ndarray, degraded: np.ndarray, n_fft: int = 1024) -> float:
    """Mean absolute difference of two signals' log power spectra, in units of 10 dB, over 60 dB below the reference's peak.

    Both are mono float arrays at one rate and in step; the shorter length counts. 0 for equal signals.
    """
    n = min(len(reference), len(degraded)) // n_fft * n_fft
    frames = [x[:n].reshape(-1, n_fft) * np.hanning(n_fft) for x in (reference, degraded)]
    powers = [np.abs(np.fft.rfft(x)) ** 2 for x in frames]
    floor = powers[0].max(initial=1e-12) * 1e-6
    return float(np.mean(np.abs(np.log10(powers[0] + floor) - np.log10(powers[1] + floor)))) if n else 0.0


class Hearing:
    """How strange each stimulus sounds: 0 for an original, about 1 for a poor codec."""

    def __init__(self, study: Study) -> None:
        self._paths = {
            (s.source_clip_id, s.condition): store().flac_path(s.key)
            for s in Stimulus.objects.filter(source_clip__in=study.clips.all(), status=Stimulus.Status.READY)
        }
        self._known: dict[int, float] = {}

    def strangeness(self, stimulus: Stimulus) -> float:
        if stimulus.pk not in self._known:
            original = self._paths.get((stimulus.source_clip_id, "original"))
            if original is None:
                self._known[stimulus.pk] = 0.5
            else:
                degraded = self._paths[stimulus.source_clip_id, stimulus.condition]
                self._known[stimulus.pk] = 4.0 * log_spectral_distance(soundfile.read(original)[0], soundfile.read(degraded)[0])
        return self._known[stimulus.pk]


def simulate_raters(study: Study, base_url: str, seed: int = 0, leave: int = 0, progress: Progress = iter) -> int:
    """Send one simulated rater for every free plan of an open study; return how many completed.

    leave: plans of each stratum that stay free, for people. Raises ServiceError.
    """
    if study.status != Study.Status.OPEN:
        raise ServiceError(f"The study {study} is {study.status}; open it first.")
    rng = np.random.default_rng([seed, study.pk])
    hearing = Hearing(study)
    free = free_plans(study).order_by("number")
    strata: list[str] = []
    for stratum in study.strata:
        strata += [stratum] * max(free.filter(stratum=stratum).count() - leave, 0)
    for number in progress(range(len(strata))):
        rater = draw_rater(rng, strata[number])
        with closing(OverHttp(base_url)) as browser:
            take(study, rater, hearing, browser)
    return len(strata)


def take(study: Study, rater: Simulated, hearing: Hearing, browser: Browser) -> None:
    """One rater's whole way, from the link to the completion page, or as far as they come. Raises ServiceError.

    Who leaves is taken for gone at once, as if their lease had run out.
    """
    page = browser.follow(f"/s/{study.slug}/?{_query(study, rater.link)}")
    while not page.endswith("/trial/"):
        if page.endswith("/consent/"):
            page = browser.follow(page, {"consent": "on", "stratum": rater.stratum})
        elif page.endswith("/check/"):
            session = _session(page)
            page = browser.follow(page, guessed_form(session, rater.rng) if rater.careless else right_form(session))
        elif page.endswith("/done/") and rater.careless:
            return  # the screening did what it is for
        else:
            raise ServiceError(f"A simulated rater was sent to {page} instead of the trials; open it in a browser to see why.")
    session = _session(page)
    state = json.loads(browser.get(f"/api/v1/sessions/{session.token}/"))
    trials = {t.position: t for t in Trial.objects.filter(session=session).select_related("stimulus__source_clip")}
    last = len(trials) if rater.leaves_after is None else math.floor(rater.leaves_after * len(trials))
    for trial in state["trials"][:last]:
        if trial["answered"]:
            continue
        for clip in filter(None, (trial, trial["second"])):
            browser.get(clip["audio_url"])
        body = {
            "idempotency_key": str(UUID(bytes=rater.rng.bytes(16), version=4)),
            "answers": answer(session, rater, trial["position"], trials[trial["position"]].stimulus, hearing)
            | ({} if rater.careless else attentive(trials[trial["position"]])),
            "listening": {
                "plays": n_listenings(study),
                "heard_share": 1.0,
                "heard_shares": [1.0, 1.0] if trial["second"] else [1.0],
            },
        }
        browser.post_json(f"{state['api_url']}trials/{trial['position']}/ratings/", body)
    if rater.leaves_after is None:
        browser.get(state["done_url"])
    else:
        _lease_ends(session, timezone.now())


def _lease_ends(session: Session, at: datetime) -> None:
    Session.objects.filter(pk=session.pk, state__in=Session.ACTIVE).update(lease_expires_at=at)
    expire_sessions(session.study)


def attentive(trial: Trial) -> dict[str, object]:
    """What somebody who listens answers to a gold clip or a trap, read from the database that no visitor sees."""
    return {
        scale: right["labels"] if "labels" in right else int(right["value"])
        for scale, right in trial.expected.items()
        if "labels" in right or right["value"] >= 0
    }


def _query(study: Study, link: Link) -> str:
    if study.recruiter == Study.Recruiter.PROLIFIC:
        return f"{link.query}&{urlencode({'simulated': simulation_mark(link.participant_id)})}"
    known_as = plain_link(study, link.participant_id).participant_id
    return urlencode({"id": link.participant_id, "simulated": simulation_mark(known_as)})


def _session(page: str) -> Session:
    return Session.from_token(page.split("/")[2])


def answer(session: Session, rater: Simulated, position: int, stimulus: Stimulus, hearing: Hearing) -> dict[str, object]:
    """What the rater answers to each question about a trial, as the page would send it."""
    strangeness = hearing.strangeness(stimulus)
    screen = screen_of(session, position)
    return {
        scale.key: _names(rater, stimulus, task.options(scale, screen), strangeness)
        if scale.kind == "labels"
        else _value(rater, scale, stimulus, strangeness, reference_comes_first(session, position))
        for task in study_tasks(session.study)
        for scale in task.scales
    }


#: Where typical emotions lie in valence, arousal and dominance, from 1 to 5; after the usual circumplex, and only roughly.
_FEELING = {"anger": (1.6, 4.3, 4.0), "fear": (1.8, 4.0, 1.9), "happiness": (4.4, 3.9, 3.6), "sadness": (1.7, 1.8, 2.0)}


def _value(rater: Simulated, scale: Scale, stimulus: Stimulus, strangeness: float, reference_first: bool) -> int:
    """Quality falls with strangeness, and so does the emotion's strength; a background is noticed less than a distortion."""
    if rater.careless:
        return int(rater.rng.integers(scale.minimum, scale.maximum + 1))
    emotion = stimulus.source_clip.emotion
    middle = dict(zip(("valence", "arousal", "dominance"), _FEELING.get(emotion, (3.0, 2.6, 3.0)), strict=True))
    if scale.key in middle:
        felt = 3 + (middle[scale.key] - 3) * (1 - 0.5 * min(strangeness, 1))
    elif scale.key == "intensity":
        felt = (3.9 if emotion in _FEELING else 2.4) - strangeness
    elif scale.key == "ccr":
        felt = -2.8 * strangeness * (1 if reference_first else -1)
    else:
        felt = 4.7 - (1.6 if scale.key == "p835_bak" else 3.2) * strangeness + rater.bias
    return int(np.clip(round(felt + rater.rng.normal(0, rater.noise)), scale.minimum, scale.maximum))


def _names(rater: Simulated, stimulus: Stimulus, options: list[dict], strangeness: float) -> list[str]:
    """The intended emotion, less surely the stranger it sounds, and sometimes a second one or a word of their own."""
    emotions = [str(option["value"]) for option in options if not option.get("text")]
    if len(emotions) < len(options) and rater.rng.random() < 0.05:
        return ["other:tension"]
    intended = stimulus.source_clip.emotion
    if rater.careless or intended not in emotions or rater.rng.random() > np.clip(0.85 - 0.5 * strangeness, 0.3, 1):
        return [str(rater.rng.choice(emotions))]
    second = str(rater.rng.choice(emotions))
    return [intended, second] if second != intended and rater.rng.random() < 0.15 else [intended]
