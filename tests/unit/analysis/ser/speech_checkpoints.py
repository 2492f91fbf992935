"""Checkpoints of speech models in the format of the Hugging Face hub: the published layout in narrow layers of seeded random weights."""

from pathlib import Path
from typing import Any

NARROW: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
#: As in the published config.json: the large models normalise each frame, the one of 960 hours the whole clip in its first layer.
STABLE: dict[str, Any] = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
PUBLISHED: dict[str, tuple[str, dict[str, Any]]] = {
    "xls-r-1b": ("Wav2Vec2", STABLE),
    "wavlm-large": ("WavLM", STABLE),
    "wav2vec2-large-robust": ("Wav2Vec2", STABLE),
    "wav2vec2-large-960h": ("Wav2Vec2", {"feat_extract_norm": "group"}),
    "hubert-large": ("Hubert", STABLE),
    "data2vec-large": ("Data2VecAudio", {"conv_pos_kernel_size": 5}),
}


def write_checkpoint(folder: Path, key: str, tensors: str = "pytorch_model.bin") -> None:
    """config.json, preprocessor_config.json and the weights; older models are published as ``pytorch_model.bin`` alone."""
    import torch

    from analysis.ser.torch_device import open_device

    open_device("cpu", threads=1)
    import transformers

    family, norms = PUBLISHED[key]
    torch.manual_seed(3)
    model = getattr(transformers, f"{family}Model")(getattr(transformers, f"{family}Config")(**NARROW, **norms))
    model.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    if tensors == "pytorch_model.bin":
        torch.save(model.state_dict(), folder / tensors)
        (folder / "model.safetensors").unlink()
