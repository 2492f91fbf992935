"""Every condition there is, at a glance; a family's module is imported when one of its conditions is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from codecs_runner import weights
from codecs_runner.codecs.base import Codec, CodecError, Condition
from codecs_runner.weight_files import FILES

__all__ = [
    "CONDITIONS",
    "Availability",
    "Condition",
    "availability",
    "get_condition",
    "list_conditions",
    "missing_weights",
    "open_codec",
    "weights_licence",
]

CONDITIONS = {
    "original": "codecs_runner.codecs.references:ORIGINAL",
    "anchor-3.5khz": "codecs_runner.codecs.references:ANCHOR_3500",
    "anchor-7khz": "codecs_runner.codecs.references:ANCHOR_7000",
    "mnru-8db": "codecs_runner.codecs.references:MNRU_8",
    "mnru-16db": "codecs_runner.codecs.references:MNRU_16",
    "mnru-24db": "codecs_runner.codecs.references:MNRU_24",
    "mnru-32db": "codecs_runner.codecs.references:MNRU_32",
    "mnru-40db": "codecs_runner.codecs.references:MNRU_40",
    "opus-6kbps": "codecs_runner.codecs.ffmpeg:OPUS_6",
    "opus-24kbps": "codecs_runner.codecs.ffmpeg:OPUS_24",
    "mp3-8kbps": "codecs_runner.codecs.ffmpeg:MP3_8",
    "mp3-24kbps": "codecs_runner.codecs.ffmpeg:MP3_24",
    "mp3-160kbps": "codecs_runner.codecs.ffmpeg:MP3_160",
    "aac-10kbps": "codecs_runner.codecs.ffmpeg:AAC_10",
    "aac-24kbps": "codecs_runner.codecs.ffmpeg:AAC_24",
    "aac-77kbps": "codecs_runner.codecs.ffmpeg:AAC_77",
    "g722-64kbps": "codecs_runner.codecs.ffmpeg:G722_64",
    "amr-nb-4.75kbps": "codecs_runner.codecs.ffmpeg:AMR_4",
    "amr-nb-7.4kbps": "codecs_runner.codecs.ffmpeg:AMR_7",
    "amr-nb-12.2kbps": "codecs_runner.codecs.ffmpeg:AMR_12",
    "speex-nb-8kbps": "codecs_runner.codecs.ffmpeg_program:SPEEX_8",
    "speex-nb-15kbps": "codecs_runner.codecs.ffmpeg_program:SPEEX_15",
    "speex-wb-16.8kbps": "codecs_runner.codecs.ffmpeg_program:SPEEX_17",
    "speex-wb-27.8kbps": "codecs_runner.codecs.ffmpeg_program:SPEEX_28",
    "codec2-3.2kbps": "codecs_runner.codecs.ffmpeg_program:CODEC2_3200",
    "codec2-2.4kbps": "codecs_runner.codecs.ffmpeg_program:CODEC2_2400",
    "codec2-1.3kbps": "codecs_runner.codecs.ffmpeg_program:CODEC2_1300",
    "codec2-0.7kbps": "codecs_runner.codecs.ffmpeg_program:CODEC2_700C",
    "gsm-13kbps": "codecs_runner.codecs.ffmpeg_program:GSM_13",
    "encodec-24k-1.5kbps": "codecs_runner.codecs.encodec:ENCODEC_1_5",
    "encodec-24k-3kbps": "codecs_runner.codecs.encodec:ENCODEC_3",
    "encodec-24k-6kbps": "codecs_runner.codecs.encodec:ENCODEC_6",
    "encodec-24k-12kbps": "codecs_runner.codecs.encodec:ENCODEC_12",
    "encodec-24k-24kbps": "codecs_runner.codecs.encodec:ENCODEC_24",
    "encodec-48k-3kbps": "codecs_runner.codecs.encodec:ENCODEC_48K_3",
    "encodec-48k-6kbps": "codecs_runner.codecs.encodec:ENCODEC_48K_6",
    "encodec-48k-12kbps": "codecs_runner.codecs.encodec:ENCODEC_48K_12",
    "encodec-48k-24kbps": "codecs_runner.codecs.encodec:ENCODEC_48K_24",
    "dac-16k-1.5kbps": "codecs_runner.codecs.dac:DAC_16K_1_5",
    "dac-16k-3kbps": "codecs_runner.codecs.dac:DAC_16K_3",
    "dac-16k-6kbps": "codecs_runner.codecs.dac:DAC_16K",
    "dac-24k-3kbps": "codecs_runner.codecs.dac:DAC_24K_3",
    "dac-24k-6kbps": "codecs_runner.codecs.dac:DAC_24K_6",
    "dac-24k-12kbps": "codecs_runner.codecs.dac:DAC_24K_12",
    "dac-24k-24kbps": "codecs_runner.codecs.dac:DAC_24K",
    "dac-44.1k-2.6kbps": "codecs_runner.codecs.dac:DAC_44K_3",
    "dac-44.1k-5.2kbps": "codecs_runner.codecs.dac:DAC_44K_5",
    "dac-44.1k-8kbps": "codecs_runner.codecs.dac:DAC_44K",
    "dac-44.1k-16kbps": "codecs_runner.codecs.dac:DAC_44K_16",
    "speechtokenizer-2kbps": "codecs_runner.codecs.speechtokenizer:SPEECHTOKENIZER_2",
    "speechtokenizer-4kbps": "codecs_runner.codecs.speechtokenizer:SPEECHTOKENIZER_4",
    "mimi-1.1kbps": "codecs_runner.codecs.mimi:MIMI_1_1",
    "mimi-2.2kbps": "codecs_runner.codecs.mimi:MIMI_2_2",
    "mimi-4.4kbps": "codecs_runner.codecs.mimi:MIMI_4_4",
    "snac-24k-0.98kbps": "codecs_runner.codecs.snac:SNAC_24K",
    "snac-32k-1.9kbps": "codecs_runner.codecs.snac:SNAC_32K",
    "snac-44k-2.6kbps": "codecs_runner.codecs.snac:SNAC_44K",
    "xcodec2-0.8kbps": "codecs_runner.codecs.xcodec2:XCODEC2",
    "audiodec-24k-6.4kbps": "codecs_runner.codecs.audiodec:AUDIODEC_VOCODER",
    "audiodec-24k-6.4kbps-sym": "codecs_runner.codecs.audiodec:AUDIODEC_SYMMETRIC",
    "hificodec-16k-2kbps": "codecs_runner.codecs.academicodec:HIFICODEC_16K",
    "hificodec-16k-universal-2kbps": "codecs_runner.codecs.academicodec:HIFICODEC_16K_UNIVERSAL",
    "hificodec-24k-3kbps": "codecs_runner.codecs.academicodec:HIFICODEC_24K",
    "funcodec-en-16kbps": "codecs_runner.codecs.funcodec:FUNCODEC_EN_320",
    "funcodec-en-8kbps": "codecs_runner.codecs.funcodec:FUNCODEC_EN_640",
    "funcodec-zh-en-16kbps": "codecs_runner.codecs.funcodec:FUNCODEC_ZH_EN_320",
    "funcodec-zh-en-8kbps": "codecs_runner.codecs.funcodec:FUNCODEC_ZH_EN_640",
    "freqcodec-gr1-16kbps": "codecs_runner.codecs.funcodec:FREQCODEC_GR1",
    "freqcodec-gr8-16kbps": "codecs_runner.codecs.funcodec:FREQCODEC_GR8",
    "soundstream-16k-4kbps": "codecs_runner.codecs.soundstream:SOUNDSTREAM_4",
    "lyra-3.2kbps": "codecs_runner.codecs.lyra:LYRA_3",
    "lyra-6kbps": "codecs_runner.codecs.lyra:LYRA_6",
    "lyra-9.2kbps": "codecs_runner.codecs.lyra:LYRA_9",
}


@dataclass(frozen=True)
class Availability:
    """Whether a condition can be rendered on this machine; ``reason`` says what to do where it cannot, else is empty."""

    ok: bool
    reason: str = ""


def get_condition(name: str) -> Condition:
    """The condition with this slug or alias.

    Raises:
        KeyError: with a sentence that names the nearest known slugs.

    >>> get_condition("emo-codec:O2").slug
    'opus-24kbps'
    """
    if name in CONDITIONS:
        return _load(name)
    for condition in list_conditions():
        if name in condition.aliases:
            return condition
    near = " or ".join(get_close_matches(name, CONDITIONS, 2)) or ", ".join(CONDITIONS)
    raise KeyError(f"There is no condition {name!r}; did you mean {near}?")


def list_conditions() -> list[Condition]:
    """All conditions in the registry's order."""
    return [_load(slug) for slug in CONDITIONS]


def availability(name: str) -> Availability:
    """Whether this machine has the packages and weights of a condition. Looks at files only: nothing is loaded or fetched."""
    try:
        condition = get_condition(name)
    except KeyError as error:
        return Availability(False, str(error.args[0]))
    missing = [package for package in condition.packages if find_spec(package) is None]
    if missing:
        names = " and ".join(missing)
        return Availability(False, f"Not installed: {names}; install the neural requirements (make install, or NEURAL=1).")
    absent = [key for key in condition.weights if weights.find(key) is None]
    if absent:
        return Availability(False, weights.what_to_do(absent))
    obstacle = condition.obstacle(condition) if condition.obstacle else ""
    return Availability(not obstacle, obstacle)


def weights_licence(condition: Condition) -> str:
    """Licence of the trained weights; empty for a condition that has none."""
    return ", ".join(dict.fromkeys(FILES[key].licence for key in condition.weights))


def missing_weights(names: Iterable[str]) -> list[str]:
    """Keys of the weights that are all these conditions still lack to run here; a condition without its packages needs none yet."""
    conditions = [get_condition(name) for name in names]
    installed = [condition for condition in conditions if all(find_spec(package) for package in condition.packages)]
    return [key for condition in installed for key in condition.weights if weights.find(key) is None]


def open_codec(condition: Condition) -> Codec:
    """Open a condition, weights and all.

    Raises:
        CodecError: ``unavailable`` with what to do; ``bad_parameters`` where its parameters are none of this codec; what its family
            says of weights that do not fit.
    """
    available = availability(condition.slug)
    if not available.ok:
        raise CodecError("unavailable", available.reason)
    try:
        return condition.open(condition)
    except (KeyError, TypeError, ValueError) as error:
        given = ", ".join(f"{name}={value}" for name, value in condition.params.items())
        raise CodecError(
            "bad_parameters", f"{condition.label} cannot be opened with {given or 'no parameters'}: {error}."
        ) from error


@cache
def _load(slug: str) -> Condition:
    module, name = CONDITIONS[slug].split(":")
    condition: Condition = getattr(import_module(module), name)
    return condition
