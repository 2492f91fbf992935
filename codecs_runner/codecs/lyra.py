"""Lyra V2 (Google, Apache-2.0): a SoundStream encoder and a generative decoder at 16 kHz, run from their TFLite files.

50 frames a second of 320 samples. A frame is 64 features, quantized by 16 (3.2 kbps), 30 (6 kbps) or 46 (9.2 kbps) residual codebooks of 16
entries. Encoder and decoder carry state from frame to frame and keep it after a reset, so every clip gets fresh interpreters.
Resampling, loss concealment and comfort noise of the telephony wrapper are not part of this path.
"""

from functools import partial
from importlib.metadata import version

import numpy as np

from codecs_runner import weights
from codecs_runner.codecs.base import Coded, Condition, Signal

HOP = 320  # samples in a frame
BITS = 4  # of a code: codebooks of 16 entries


class Lyra:
    """Encoder, quantizer and decoder networks at one number of codebooks."""

    device = "cpu"

    def __init__(self, condition: Condition) -> None:
        self.models = [weights.require(key).read_bytes() for key in condition.weights]
        self.n_quantizers, self.sample_rate = int(condition.params["n_quantizers"]), condition.sample_rate
        self.versions = {"ai-edge-litert": version("ai-edge-litert")}

    def code(self, samples: Signal) -> Coded:
        from ai_edge_litert.interpreter import Interpreter

        # Named, because signature runners do not keep their interpreters alive.
        encoder, quantizer, decoder = (Interpreter(model_content=model, num_threads=1) for model in self.models)
        encode, decode = encoder.get_signature_runner(), decoder.get_signature_runner()
        quantize, dequantize = quantizer.get_signature_runner("encode"), quantizer.get_signature_runner("decode")

        n_frames = -(-len(samples) // HOP)
        frames = np.pad(samples, (0, n_frames * HOP - len(samples))).astype(np.float32).reshape(n_frames, 1, HOP)
        decoded = np.empty((n_frames, HOP), np.float32)
        n_quantizers = np.int32(self.n_quantizers)
        for i, frame in enumerate(frames):
            features = encode(input_audio=frame)["output_0"]
            codes = quantize(num_quantizers=n_quantizers, input_frames=features)["output_0"]
            decoded[i] = decode(input_audio=dequantize(encoding_indices=codes)["output_0"])["output_0"][0]
        return Coded(decoded.reshape(-1)[: len(samples)], self.sample_rate, n_frames * self.n_quantizers * BITS)


_condition = partial(
    Condition,
    family="Lyra",
    open=Lyra,
    sample_rate=16_000,
    licence="Apache-2.0",
    packages=("ai_edge_litert",),
    weights=("lyra_encoder", "lyra_quantizer", "lyra_decoder"),
)

LYRA_3 = _condition(slug="lyra-3.2kbps", label="Lyra V2 3.2 kbps", nominal_bps=3_200, params={"n_quantizers": 16})
LYRA_6 = _condition(slug="lyra-6kbps", label="Lyra V2 6 kbps", nominal_bps=6_000, params={"n_quantizers": 30})
LYRA_9 = _condition(slug="lyra-9.2kbps", label="Lyra V2 9.2 kbps", nominal_bps=9_200, params={"n_quantizers": 46})
