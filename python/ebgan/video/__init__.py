"""Multi-scale video prediction (arXiv:1511.05440).

The package has networks by name, the system that trains them, scores beside baselines, and roll-outs.
"""

from __future__ import annotations

from ebgan.training import GeometricDecay
from ebgan.video.baselines import BASELINES, copy_last, extrapolate_flow
from ebgan.video.builders import NETS, discriminator, generator
from ebgan.video.config import VideoConfig
from ebgan.video.discriminator import MultiscaleDiscriminator
from ebgan.video.evaluate import STRIDE, evaluate
from ebgan.video.flow import forward_warp, moving, optical_flow
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.losses import LOSSES, Terms, adversarial_loss
from ebgan.video.metrics import METRICS, psnr, sharpness, ssim
from ebgan.video.predict import RollOut, predict_video
from ebgan.video.prediction import VideoPrediction
from ebgan.video.presets import PRESETS, preset
from ebgan.video.rollout import roll_out
from ebgan.video.runs import build, build_generator
from ebgan.video.scores import VideoScores
from ebgan.video.strips import strips
from ebgan.video.system import SYSTEM, evaluate_run, open_run, resume, train, trained_generator

__all__ = [
    "BASELINES",
    "LOSSES",
    "METRICS",
    "NETS",
    "PRESETS",
    "STRIDE",
    "SYSTEM",
    "GeometricDecay",
    "MultiscaleDiscriminator",
    "MultiscaleGenerator",
    "RollOut",
    "Terms",
    "VideoConfig",
    "VideoPrediction",
    "VideoScores",
    "adversarial_loss",
    "build",
    "build_generator",
    "copy_last",
    "discriminator",
    "evaluate",
    "evaluate_run",
    "extrapolate_flow",
    "forward_warp",
    "generator",
    "moving",
    "open_run",
    "optical_flow",
    "predict_video",
    "preset",
    "psnr",
    "resume",
    "roll_out",
    "sharpness",
    "ssim",
    "strips",
    "train",
    "trained_generator",
]
