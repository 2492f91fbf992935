"""Sounds that ask whether somebody hears what a listening test needs: each a plain function of its numbers and a generator.

All are at 48 kHz, full scale ±1: shape [n_samples] for one channel, [n_samples, 2] for left and right. The same generator state
gives the same samples. Levels are RMS in dBov (0 dBov = RMS 1.0) or, for speech, the active level of ITU-T P.56; like the clips
of a test they lie at −26 dBov, so that one volume fits all.
"""
