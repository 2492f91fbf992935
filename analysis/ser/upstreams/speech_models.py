"""Self-supervised speech models of EMO-SUPERB and Emo-Codec, run by the package ``transformers``, frozen, all layers.

The checkpoint is the published one: ``config.json``, ``preprocessor_config.json`` and the weights as ``model.safetensors`` or
``pytorch_model.bin``, in a folder or in the cache of the Hugging Face hub. The layers are the model's ``hidden_states``: what enters
the first transformer layer and what leaves each, 50 frames a second. Where the checkpoint was trained on waveforms of zero mean and
unit variance (``do_normalize``), speech has both already.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.ser.errors import SerError
from analysis.ser.speech import RATE, Speech
from analysis.ser.torch_device import mixed_precision, open_device
from analysis.ser.upstreams.base import Layers, UpstreamSpec, Weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
TENSORS = ("model.safetensors", "pytorch_model.bin")
#: What the convolutions of these models need for one frame: 25 ms.
SHORTEST = 400
#: Used to hide frames in training and absent from some checkpoints.
_TRAINING_ONLY = "masked_spec_embed"
_GPU_BATCH = 16


@dataclass(frozen=True)
class Checkpoint:
    """``hub`` is the repository on the Hugging Face hub, ``model_type`` what its config.json says."""

    key: str
    hub: str
    model_type: str


class SpeechModel:
    """A model ready to extract: features of shape [n_layers + 1, n_frames, n_dims] as float16.

    On a GPU clips go in batches and mixed precision. Models in which padding would reach a clip's frames get them one by one:
    where the first convolution normalises over the whole clip (group norm), and data2vec, whose layers of positional convolution
    are not masked one by one.
    """

    def __init__(self, checkpoint: Checkpoint, weights: Weights) -> None:
        folder = _located(checkpoint, weights)
        self._device = open_device(weights.device, weights.threads)
        self._model = _loaded(checkpoint, folder)
        self._model.to(self._device)  # type: ignore[arg-type]
        tensors = next(folder / name for name in TENSORS if (folder / name).is_file())
        with tensors.open("rb") as file:
            self.fingerprint = f"{checkpoint.key}-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}-1"
        alone = checkpoint.model_type == "data2vec-audio" or self._model.config.feat_extract_norm == "group"
        self.batch = _GPU_BATCH if self._device.type == "cuda" and not alone else 1

    def extract(self, clips: Sequence[Speech]) -> list[Layers]:
        import torch

        longest = max(SHORTEST, *(len(clip) for clip in clips))
        waves, mask = np.zeros((2, len(clips), longest), dtype=np.float32)
        for row, inside, clip in zip(waves, mask, clips, strict=True):
            row[: len(clip)], inside[: max(SHORTEST, len(clip))] = clip, 1.0
        output_lengths: Any = self._model._get_feat_extract_output_lengths
        lengths = output_lengths(torch.from_numpy(mask.sum(axis=1)).long())
        padded = None if len(clips) == 1 else torch.from_numpy(mask).long().to(self._device)
        with torch.inference_mode(), mixed_precision("", self._device), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")  # WavLM's own, in a batch
            found = self._model(torch.from_numpy(waves).to(self._device), attention_mask=padded, output_hidden_states=True)
            layers = torch.stack(found.hidden_states, dim=1).float().cpu().numpy()
        highest = float(np.finfo(np.float16).max)
        return [np.clip(one[:, : int(n)], -highest, highest).astype(np.float16) for one, n in zip(layers, lengths, strict=True)]


def _problem(checkpoint: Checkpoint, weights: Weights) -> str:
    """What is missing to open a checkpoint, in sentences, or nothing."""
    absent = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if absent:
        return f"The package {' and '.join(absent)} is not installed: make install (without NEURAL=0)."
    if weights.folder is None and weights.download:
        return ""
    where = f"{_folder(checkpoint, weights)} has" if weights.folder else f"The hub's cache has, of {checkpoint.hub},"
    missing = [
        " or ".join(names) for names in ((CONFIG,), (PREPROCESSOR,), TENSORS) if _found(checkpoint, weights, names) is None
    ]
    if not missing:
        return ""
    return f"{where} no {', no '.join(missing)}. Give --weights a folder with the checkpoint, or --download to fetch it."


def _located(checkpoint: Checkpoint, weights: Weights) -> Path:
    """The folder with the checkpoint's files, fetched first where that is allowed."""
    if weights.folder is None and weights.download:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        for names in ((CONFIG,), (PREPROCESSOR,), TENSORS):
            for last, name in enumerate(names, 1 - len(names)):
                try:
                    # Of whatever revision: what is loaded cannot run code, and its tensors are held against the architecture.
                    hf_hub_download(checkpoint.hub, name)  # nosec B615
                    break
                except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
                    if last == 0:
                        raise SerError(f"{name} of {checkpoint.hub} could not be fetched ({type(error).__name__}).") from error
    config = _found(checkpoint, weights, (CONFIG,))
    if config is None:
        raise SerError(_problem(checkpoint, weights))
    return config.parent


def _folder(checkpoint: Checkpoint, weights: Weights) -> Path:
    """The folder that was named, or the one in it that bears the upstream's name."""
    assert weights.folder is not None
    inner = weights.folder / checkpoint.key
    return inner if inner.is_dir() else weights.folder


def _found(checkpoint: Checkpoint, weights: Weights, names: Sequence[str]) -> Path | None:
    """The first of some files that is there."""
    if weights.folder is not None:
        places = [_folder(checkpoint, weights) / name for name in names]
    else:
        from huggingface_hub import try_to_load_from_cache

        cached = [try_to_load_from_cache(checkpoint.hub, name) for name in names]
        places = [Path(place) for place in cached if isinstance(place, str)]
    return next((place for place in places if place.is_file()), None)


def _loaded(checkpoint: Checkpoint, folder: Path) -> PreTrainedModel:
    """The model, frozen; raises SerError where files are damaged, of another kind, or lack a tensor, which would stay random."""
    config = _json(folder / CONFIG)
    if config.get("model_type") != checkpoint.model_type:
        raise SerError(f"{folder} holds a {config.get('model_type')} model, and '{checkpoint.key}' is {checkpoint.model_type}.")
    if _json(folder / PREPROCESSOR).get("sampling_rate", RATE) != RATE:
        raise SerError(f"{folder} holds a model for another sample rate than {RATE} Hz.")
    import transformers
    from safetensors import SafetensorError

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        # From a folder, so nothing is fetched; tensors alone, so that no pickle runs code.
        model, found = transformers.AutoModel.from_pretrained(  # nosec B615
            folder, local_files_only=True, output_loading_info=True, dtype="float32"
        )
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        raise SerError(f"The checkpoint in {folder} is damaged, or not what transformers can load.") from error
    wrong = [name for name in (*found["missing_keys"], *found["mismatched_keys"]) if _TRAINING_ONLY not in str(name)]
    if wrong:
        raise SerError(f"The checkpoint in {folder} lacks {wrong[0]} or has it in another shape.")
    frozen: PreTrainedModel = model.eval().requires_grad_(False)
    return frozen


def _json(path: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise SerError(f"{path} is missing or damaged.") from error
    return values if isinstance(values, dict) else {}


def _spec(key: str, title: str, hub: str, model_type: str) -> UpstreamSpec:
    checkpoint = Checkpoint(key, hub, model_type)
    packages = ("torch", "transformers")
    return UpstreamSpec(key, title, partial(SpeechModel, checkpoint), partial(_problem, checkpoint), packages=packages)


XLS_R_1B = _spec("xls-r-1b", "XLS-R, 1 billion parameters", "facebook/wav2vec2-xls-r-1b", "wav2vec2")
WAVLM_LARGE = _spec("wavlm-large", "WavLM large", "microsoft/wavlm-large", "wavlm")
WAV2VEC2_LARGE_ROBUST = _spec(
    "wav2vec2-large-robust", "wav2vec 2.0 large, robust", "facebook/wav2vec2-large-robust", "wav2vec2"
)
WAV2VEC2_LARGE_960H = _spec("wav2vec2-large-960h", "wav2vec 2.0 large, LibriSpeech", "facebook/wav2vec2-large", "wav2vec2")
HUBERT_LARGE = _spec("hubert-large", "HuBERT large", "facebook/hubert-large-ll60k", "hubert")
DATA2VEC_LARGE = _spec("data2vec-large", "data2vec large", "facebook/data2vec-audio-large", "data2vec-audio")
