"""PyTorch as every neural family uses it: same numbers on each run, checkpoints that cannot run code, and a torchaudio that
imports. Nothing here is imported before a neural condition is opened.
"""

import json
import os
import pickle
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.torchaudio_repair import repair_torchaudio
from codecs_runner.codecs.base import CodecError, Signal

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


def open_device() -> "torch.device":
    """Prepare PyTorch once and choose where models run: CODEC_DEVICE, else the first CUDA device, else the CPU.

    One thread and no TF32, so that sums are taken in the same order and precision each time; processes give the parallel work.
    """
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or recurrent layers may sum in another order each time
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    repair_torchaudio()
    return torch.device(os.environ.get("CODEC_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu"))


def runs_in_batches() -> bool:
    """Whether models code many clips at a time here: CODEC_BATCH says so, or else `open_device` would choose a GPU."""
    if os.environ.get("CODEC_BATCH"):
        return int(os.environ["CODEC_BATCH"]) > 1
    if os.environ.get("CODEC_DEVICE") or find_spec("torch") is None:
        return os.environ.get("CODEC_DEVICE", "").startswith("cuda")
    import torch

    return torch.cuda.is_available()


def describe_device(device: "torch.device") -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def load_checkpoint(path: Path, *required: str) -> Mapping[str, Any]:
    """Read a checkpoint as plain tensors, numbers and text; one that would need to run code is refused.

    Args:
        required: keys that must be there.

    Raises:
        CodecError: ``weights_damaged`` with the file's name.
    """

    import torch

    try:
        with torch.serialization.safe_globals(_number_types()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        sentence = f"{path} is damaged, or holds more than tensors and plain values and is not opened for safety."
        raise CodecError("weights_damaged", sentence) from error
    if not isinstance(content, Mapping) or not all(key in content for key in required):
        raise CodecError("weights_damaged", f"{path} is a PyTorch file, but not a checkpoint of this codec.")
    return content


def load_config(path: Path) -> dict[str, Any]:
    """Read the settings published beside a checkpoint; raises CodecError ``weights_damaged`` with the file's name."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CodecError("weights_damaged", f"{path} is damaged: not JSON ({error}).") from error
    if not isinstance(values, dict):
        raise CodecError("weights_damaged", f"{path} is JSON, but not the settings of a model.")
    return values


def load_transformers(model: str, config: Path, path: Path) -> "PreTrainedModel":
    """A model of the package ``transformers`` from config.json and model.safetensors, which lie in one folder.

    Every tensor must be there and fit; nothing is fetched and no code of the folder is run.

    Raises:
        CodecError: ``weights_damaged`` with the file's name.
    """
    load_config(config)
    with model_errors(path):
        import transformers
        from safetensors import SafetensorError, safe_open

        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            with safe_open(path, framework="pt"):  # a cut file is found here, by its header
                pass
            loaded, found = getattr(transformers, model).from_pretrained(
                path.parent, local_files_only=True, use_safetensors=True, output_loading_info=True, dtype="float32"
            )
        except (SafetensorError, OSError, ValueError) as error:
            raise KeyError(str(error)) from error
        wrong = [*found["missing_keys"], *found["mismatched_keys"], *found["error_msgs"]]
        if wrong:  # what is missing would stay random
            raise KeyError(str(wrong[0]))
    checked: PreTrainedModel = loaded
    return checked


def _number_types() -> list[Any]:
    """What a NumPy number, as training loops leave it in a checkpoint, is made of; none of it can run code."""
    scalar = np.float64(0).__reduce__()[0]
    kinds = [type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "?")]
    return [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")] + [np.dtype, *kinds]


@contextmanager
def model_errors(path: Path | str) -> Iterator[None]:
    """While a model is built: silence old idioms of the codec packages, and name the file if its tensors do not fit."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*weight_norm.* is deprecated", FutureWarning)
        warnings.filterwarnings("ignore", ".*torch.jit.script.* is deprecated", DeprecationWarning)
        try:
            yield
        except (RuntimeError, TypeError, KeyError, ValueError, AttributeError) as error:
            # PyTorch's own sentences run over many lines; ours name the one tensor or number that is wrong.
            detail = f" ({error.args[0]})" if isinstance(error, KeyError | ValueError) and error.args else ""
            raise CodecError("weights_damaged", f"{path} does not fit this codec's model{detail}.") from error


def as_signal(tensor: "torch.Tensor") -> Signal:
    """Any tensor of one clip as one channel on the CPU, shape [n_samples]."""
    return np.asarray(tensor.reshape(-1).cpu().numpy(), dtype=np.float32)
