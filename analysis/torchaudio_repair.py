"""torchaudio that imports beside any build of PyTorch: the codec packages and ``transformers`` fall over one that does not."""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

NATIVE_TORCHAUDIO = ("_torchaudio", "libtorchaudio")


def repair_torchaudio() -> None:
    """Make ``import torchaudio`` succeed beside a CPU build of PyTorch.

    The wheels of torchaudio 2.11 link CUDA libraries; where those are absent the import fails and takes along every package
    that asks for torchaudio. What the codec packages use is plain PyTorch, so a stand-in for the native part is registered, but
    only where loading it fails. On a CUDA machine nothing happens.
    """
    import torch

    spec = find_spec("torchaudio")
    if spec is None or spec.origin is None or "torchaudio" in sys.modules or "torchaudio._extension" in sys.modules:
        return
    libraries = [Path(spec.origin).parent / "lib" / f"{name}.abi3.so" for name in NATIVE_TORCHAUDIO]
    try:
        for library in filter(Path.is_file, libraries):
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
    except OSError:
        stand_in = ModuleType("torchaudio._extension", "Stands in for the native part, which cannot be loaded here.")
        vars(stand_in).update(
            _IS_TORCHAUDIO_EXT_AVAILABLE=False,
            _IS_ALIGN_AVAILABLE=False,
            _check_cuda_version=lambda: None,
            fail_if_no_align=lambda function: function,
        )
        sys.modules["torchaudio._extension"] = stand_in
