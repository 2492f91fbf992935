"""FunCodec's encoder and decoder, in one dimension (waveform) and two (frequency and time), and the spectra around the latter.

Both are SEANets (Tagliasacchi et al. 2020, arXiv 2009.02095): a convolution; stages of a residual block and a strided layer, whose
kernel is twice its stride; an LSTM beside a skip connection; a convolution. Each convolution pads by reflection and is followed by
a normalization over the whole clip.
"""

from typing import TYPE_CHECKING

from codecs_runner.layers import Layer

if TYPE_CHECKING:
    import torch

N_FFT = 512
STFT_HOP = 160
FLOOR = 1e-6  # least magnitude


def run(model: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """Encoder or decoder: what lies at ``encoder.model`` or ``decoder.model`` says which, and in how many dimensions."""
    import torch

    elu = torch.nn.functional.elu
    first, *middle, last = model
    upward = [number for number, layer in enumerate(middle) if "convtr" in layer]
    x = _conv(first["conv"], x)
    for number, layer in enumerate(middle):
        if "block" in layer:
            first_conv, second_conv = layer["block"]
            inner = _conv(second_conv["conv"], elu(_conv(first_conv["conv"], elu(x))))
            x = _conv(layer["shortcut"]["conv"], x) + inner
        elif "lstm" in layer:
            x = _without_frequency(x)
            x = layer["lstm"].lstm(x) + x
        elif "convtr" in layer:
            x = _conv_transpose(layer["convtr"], elu(x), last=number == upward[-1])
        else:
            x = _conv(layer["conv"], elu(x), strided=True)
    if last["conv"]["conv"].tensor("weight").ndim == 3:
        x = _without_frequency(x)
    return _conv(last["conv"], elu(x))


def padding_for_spectra(n_samples: int, spectra_per_frame: int) -> int:
    """Zeros to append so that the number of spectra is a whole number of frames, two at least, and the clip is covered.

    With n frames of p spectra the length is 160 (p·n − 1); a decoder then gives it back exactly.

    >>> padding_for_spectra(16_000, 2), padding_for_spectra(16_160, 2), padding_for_spectra(1, 2)
    (160, 0, 479)
    """
    span = STFT_HOP * spectra_per_frame
    n_frames = max(-(-(n_samples + STFT_HOP) // span), 2)
    return n_frames * span - STFT_HOP - n_samples


def spectrum(x: "torch.Tensor") -> "torch.Tensor":
    """[rows, 1, samples] to [rows, 3, 257, samples // 160 + 1]: log magnitude, then real and imaginary part at magnitude 1."""
    import torch

    window = torch.hann_window(N_FFT, device=x.device)
    bins = torch.stft(x[:, 0], N_FFT, STFT_HOP, window=window, return_complex=True)
    magnitude = bins.abs().clamp(min=FLOOR)
    phase = bins / magnitude
    return torch.stack([magnitude.log(), phase.real, phase.imag], dim=1)


def waveform(y: "torch.Tensor") -> "torch.Tensor":
    """[rows, 3, 257, spectra] to [rows, 160 × (spectra − 1)]: softplus of the first channel times the complex number of the others."""
    import torch

    window = torch.hann_window(N_FFT, device=y.device)
    bins = torch.nn.functional.softplus(y[:, 0]) * torch.complex(y[:, 1], y[:, 2])
    samples: torch.Tensor = torch.istft(bins, N_FFT, STFT_HOP, window=window)
    return samples


def _conv(layer: Layer, x: "torch.Tensor", strided: bool = False) -> "torch.Tensor":
    """A convolution that keeps the length, or divides it by half the kernel, rounding up, and its normalization."""
    kernels = [int(size) for size in layer["conv"].tensor("weight").shape[2:]]
    strides = [size // 2 for size in kernels] if strided else [1] * len(kernels)
    totals = [kernel - stride for kernel, stride in zip(kernels, strides, strict=True)]
    pads = [(total - total // 2, total // 2) for total in totals]
    extra = -(x.shape[-1] - kernels[-1] + totals[-1]) % strides[-1]  # in time, the last window is filled
    pads[-1] = (pads[-1][0], pads[-1][1] + extra)
    stride = (strides[0], strides[1]) if len(strides) == 2 else strides[0]
    return layer["norm"].group_norm(layer["conv"].conv(_reflect(x, pads), stride=stride), groups=1)


def _conv_transpose(layer: Layer, x: "torch.Tensor", last: bool) -> "torch.Tensor":
    """A transposed convolution with half the kernel as stride, cut by one stride; the last in frequency keeps one bin more."""
    weight = layer["convtr"].tensor("weight")
    if weight.ndim == 3:
        stride = int(weight.shape[-1]) // 2
        y = layer["norm"].group_norm(layer["convtr"].conv_transpose(x, stride=stride), groups=1)
        return y[..., stride - stride // 2 : y.shape[-1] - stride // 2]
    x = x if x.ndim == 4 else x[:, :, None]
    up, along = int(weight.shape[2]) // 2, int(weight.shape[3]) // 2
    y = layer["norm"].group_norm(layer["convtr"].conv_transpose(x, stride=(up, along)), groups=1)
    top = y.shape[2] - up // 2 + int(last)
    return y[:, :, up - up // 2 : top, along - along // 2 : y.shape[3] - along // 2]


def _reflect(x: "torch.Tensor", pads: list[tuple[int, int]]) -> "torch.Tensor":
    """Pad by reflection; where an axis is too short for that, zeros stand in while reflecting and are cut off again."""
    import torch

    pad = torch.nn.functional.pad
    missing = [max(max(sides) - size + 1, 0) for size, sides in zip(x.shape[2:], pads, strict=True)]
    x = pad(x, [amount for short in reversed(missing) for amount in (0, short)])
    x = pad(x, [amount for sides in reversed(pads) for amount in sides], mode="reflect")
    for axis, short in enumerate(missing, start=2):
        x = x.narrow(axis, 0, x.shape[axis] - short)
    return x


def _without_frequency(x: "torch.Tensor") -> "torch.Tensor":
    return x.squeeze(2) if x.ndim == 4 else x
