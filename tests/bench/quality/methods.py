# SPDX-License-Identifier: GPL-2.0-or-later
"""The methods that fvsr is compared with. Bicubic is Keys' with a = -0.5, the one that the engine
makes its canvas with; both it and Lanczos (three lobes) are Pillow's.
"""
import numpy as np
from PIL import Image

import fsr

BICUBIC, LANCZOS, FSR, EASU, FVSR = "bicubic", "Lanczos", "FSR", "FSR EASU", "fvsr"
ALL = (BICUBIC, LANCZOS, FSR, EASU, FVSR)


def resize(frame, width, height, how=Image.BICUBIC):
    """8-bit RGB in and out; antialiased when it gets smaller."""
    return np.asarray(Image.fromarray(frame).resize((width, height), how))


def upscale(frame, scale):
    """Every method's picture but fvsr's."""
    height, width = (side * scale for side in frame.shape[:2])
    sharpened, plain = fsr.both(frame, scale)
    return {BICUBIC: resize(frame, width, height), EASU: plain, FSR: sharpened,
            LANCZOS: resize(frame, width, height, Image.LANCZOS)}
