"""Runs first in each process of the server. The published torchvision is built for CUDA: beside a torch for CPUs its
own operators cannot be loaded, and importing it fails because two of them are not even declared. Here they are
declared; nothing that is served calls them.
"""

from contextlib import suppress

with suppress(ImportError):
    import torch

    if torch.version.cuda is None:
        LIBRARY = torch.library.Library("torchvision", "DEF")  # declared as long as this lives
        for name in ("nms", "qnms"):
            LIBRARY.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
