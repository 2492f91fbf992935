"""Every published file of trained weights, as data: what it is called, where its authors publish it, under which licence.

One entry for each file, families in alphabetical order; `codecs_runner.weights` finds, checks and fetches them.
"""

from dataclasses import dataclass

LYRA_URL = "https://github.com/google/lyra/raw/v1.3.2/lyra/model_coeffs/"
DAC_URL = "https://github.com/descriptinc/descript-audio-codec/releases/download/"
AUDIODEC_URL = "https://huggingface.co/AudioDecBenchmark/AudioDec/resolve/main/"
ACADEMICODEC_URL = "https://huggingface.co/Dongchao/AcademiCodec/resolve/main/"
FUNCODEC_URL = "https://huggingface.co/alibaba-damo/"
SOUNDSTREAM_URL = "https://github.com/kaiidams/soundstream-pytorch/releases/download/v1.0/"


@dataclass(frozen=True)
class WeightFile:
    """A published file.

    Args:
        family: sub-folder of CODEC_WEIGHTS where it may also lie.
        name: file name, with the folders it lies in where names repeat.
        url: where its authors publish it.
        licence: of the weights.
        sha256: published checksum, or the first digits of it; empty where none is published.
        size: bytes, where known; 0 where not.
        pattern: other names taken as the same file, as a glob; such a name must end in the first digits of its own checksum.
        cache: path below the user's cache folder where the family's own package puts it.
    """

    family: str
    name: str
    url: str
    licence: str
    sha256: str = ""
    size: int = 0
    pattern: str = ""
    cache: str = ""


def _lyra(name: str, size: int, sha256: str) -> WeightFile:
    return WeightFile("lyra", name, LYRA_URL + name, "Apache-2.0", sha256, size)


def _huggingface(key: str, repository: str, name: str, licence: str, folder: str = "") -> dict[str, WeightFile]:
    """A model and the settings beside it; both lie in a folder of their own, named as its authors name it."""
    place = folder or repository.split("/")[1] + "/"
    url = f"https://huggingface.co/{repository}/resolve/main/{folder}"
    return {
        f"{key}_config": WeightFile("huggingface", place + "config.json", f"{url}config.json", licence),
        key: WeightFile("huggingface", place + name, url + name, licence),
    }


def _audiodec(name: str) -> WeightFile:
    """Named as in the authors' release exp.zip, of which the address is a mirror."""
    return WeightFile("audiodec", name, AUDIODEC_URL + name, "CC-BY-NC 4.0")


def _academicodec(name: str) -> WeightFile:
    return WeightFile("academicodec", name, ACADEMICODEC_URL + name, "not stated (code: MIT by its readme)")


def _funcodec(model: str) -> dict[str, WeightFile]:
    """Weights and configuration of one model, by the end of their keys."""
    folder, licence = f"audio_codec-{model}-pytorch", "not stated (code: MIT)"
    return {
        suffix: WeightFile("funcodec", f"{folder}/{name}", f"{FUNCODEC_URL}{folder}/resolve/main/{name}", licence)
        for suffix, name in (("", "model.pth"), ("_config", "config.yaml"))
    }


def _funcodecs(**models: str) -> dict[str, WeightFile]:
    return {key + suffix: file for key, model in models.items() for suffix, file in _funcodec(model).items()}


FILES = {
    "audiodec_encoder": _audiodec("autoencoder/symAD_libritts_24000_hop300/checkpoint-500000steps.pkl"),
    "audiodec_symmetric": _audiodec("autoencoder/symAD_libritts_24000_hop300/checkpoint-1000000steps.pkl"),
    "audiodec_vocoder": _audiodec("vocoder/AudioDec_v1_symAD_libritts_24000_hop300_clean/checkpoint-500000steps.pkl"),
    "hificodec_16k_320d": _academicodec("HiFi-Codec-16k-320d"),
    "hificodec_16k_320d_large_universal": _academicodec("HiFi-Codec-16k-320d-large-universal"),
    "hificodec_24k_320d": _academicodec("HiFi-Codec-24k-320d"),
    **_funcodecs(
        funcodec_en_ds320="encodec-en-libritts-16k-nq32ds320",
        funcodec_en_ds640="encodec-en-libritts-16k-nq32ds640",
        funcodec_zh_en_ds320="encodec-zh_en-general-16k-nq32ds320",
        funcodec_zh_en_ds640="encodec-zh_en-general-16k-nq32ds640",
        freqcodec_gr1="freqcodec_magphase-en-libritts-16k-gr1nq32ds320",
        freqcodec_gr8="freqcodec_magphase-en-libritts-16k-gr8nq32ds320",
    ),
    "soundstream_16khz": WeightFile(
        "soundstream", "soundstream_16khz-20230425.ckpt", SOUNDSTREAM_URL + "soundstream_16khz-20230425.ckpt", "MIT"
    ),
    "encodec_24khz": WeightFile(
        family="encodec",
        name="encodec_24khz-d7cc33bc.th",
        url="https://dl.fbaipublicfiles.com/encodec/v0/encodec_24khz-d7cc33bc.th",
        licence="CC-BY-NC 4.0 by the package's metadata, MIT by its repository",
        sha256="d7cc33bc",
        pattern="encodec_24khz-????????.th",
        cache="torch/hub/checkpoints/encodec_24khz-d7cc33bc.th",
    ),
    "encodec_48khz": WeightFile(
        family="encodec",
        name="encodec_48khz-7e698e3e.th",
        url="https://dl.fbaipublicfiles.com/encodec/v0/encodec_48khz-7e698e3e.th",
        licence="MIT by its model card, CC-BY-NC 4.0 by the package's metadata",
        sha256="7e698e3e",
        pattern="encodec_48khz-????????.th",
        cache="torch/hub/checkpoints/encodec_48khz-7e698e3e.th",
    ),
    "dac_16khz": WeightFile(
        family="dac",
        name="weights_16khz.pth",
        url=DAC_URL + "0.0.5/weights_16khz.pth",
        licence="MIT",
        cache="descript/dac/weights_16khz_8kbps_0.0.5.pth",
    ),
    "dac_24khz": WeightFile(
        family="dac",
        name="weights_24khz.pth",
        url=DAC_URL + "0.0.4/weights_24khz.pth",
        licence="MIT",
        cache="descript/dac/weights_24khz_8kbps_0.0.4.pth",
    ),
    "dac_44khz": WeightFile(
        family="dac",
        name="weights_44khz.pth",
        url=DAC_URL + "0.0.1/weights.pth",
        licence="MIT",
        cache="descript/dac/weights_44khz_8kbps_0.0.1.pth",
    ),
    "dac_44khz_16kbps": WeightFile(
        family="dac",
        name="weights_44khz_16kbps.pth",
        url=DAC_URL + "1.0.0/weights_44khz_16kbps.pth",
        licence="MIT",
        cache="descript/dac/weights_44khz_16kbps_1.0.0.pth",
    ),
    **_huggingface("mimi", "kyutai/mimi", "model.safetensors", "CC-BY 4.0"),
    **_huggingface("snac_24khz", "hubertsiuzdak/snac_24khz", "pytorch_model.bin", "MIT"),
    **_huggingface("snac_32khz", "hubertsiuzdak/snac_32khz", "pytorch_model.bin", "MIT"),
    **_huggingface("snac_44khz", "hubertsiuzdak/snac_44khz", "pytorch_model.bin", "MIT"),
    **_huggingface(
        "speechtokenizer",
        "fnlp/SpeechTokenizer",
        "SpeechTokenizer.pt",
        "not stated here; Apache-2.0 for the code",
        folder="speechtokenizer_hubert_avg/",
    ),
    **_huggingface("xcodec2", "HKUSTAudio/xcodec2-hf", "model.safetensors", "not stated here; MIT for the code"),
    "lyra_encoder": _lyra(
        "soundstream_encoder.tflite", 1_779_200, "237da0b16226fb0a68d49551c81bebf614e42142af72764448359f68581e88f1"
    ),
    "lyra_quantizer": _lyra("quantizer.tflite", 329_012, "841ee05989687d32d1f616a8ad1419fc7eda37599d3c05c7cf5a0d60ccf8ac5c"),
    "lyra_decoder": _lyra("lyragan.tflite", 1_475_160, "50e7839cda4f30599a3a34cfaddcd9c98449b049eee884e1a74295780448ad06"),
}
