"""Video prediction with the gradient difference loss, in a bare loop: python examples/video_loop.py

The network predicts the next 8 frames of moving digits from the last 8, at four scales. It is scored by PSNR
beside a copy of the last frame; 60 steps are too few to beat it by much.
"""

import torch

import ebgan.video
from ebgan.data import ClipBatches, load_clips
from ebgan_kernels import multiscale_prediction_loss

torch.manual_seed(0)
batches = ClipBatches(load_clips("moving-digits"), batch_size=4, frames=16)
generator = ebgan.video.generator("8to8", width=0.5)
optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3)

for step in range(1, 61):
    clips = batches.at(step)  # (4, 16, 3, s, s) in [-1, 1], s from 4 to 32
    predictions = generator([scale[:, :8] for scale in clips])
    loss = multiscale_prediction_loss(predictions, clips[-1][:, 8:], p=1, alpha=1.0, gdl_weight=1.0)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step}: loss {loss.item():.3f}")

frames = batches.at(0)[-1]  # of a batch that was not trained on
given, target = frames[:, :8], frames[:, 8:]
with torch.no_grad():
    predicted = generator.predict(given)
copied = given[:, -1:].expand_as(target)
for name, guess in (("network", predicted), ("copy of the last frame", copied)):
    print(f"PSNR of the {name}: {ebgan.video.psnr(guess, target).mean():.2f} dB")
