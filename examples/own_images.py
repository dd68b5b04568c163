"""An EBGAN on your own images: python examples/own_images.py FOLDER [STEPS]

FOLDER, or a zip, holds JPEG, PNG and WebP files of any sizes. It writes own_images.png, real images above and
generated ones below. The nets have an eighth of the paper's width, for a CPU.
"""

import sys
from pathlib import Path

import torch

import ebgan.gan
from ebgan.data import Batches, load
from ebgan.pictures import image_grid, save_png
from ebgan_kernels import discriminator_loss, generator_loss

if len(sys.argv) < 2:
    raise SystemExit("which images? python examples/own_images.py FOLDER [STEPS]")
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
batches = Batches(load("images", root=sys.argv[1], size=64), batch_size=32, flip=True)
generator = ebgan.gan.generator("celeba-64", width=128)
discriminator = ebgan.gan.discriminator("celeba-64", width=8)
g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))

for step in range(1, steps + 1):
    real = batches.at(step)  # (32, 3, 64, 64) in [-1, 1]
    fake = generator(*generator.noise(len(real)))
    of_real, of_fake = discriminator(real).reconstruction, discriminator(fake.detach()).reconstruction
    d_loss, real_energy, fake_energy = discriminator_loss(of_real, real, of_fake, fake.detach(), margin=20.0)
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()

    g_loss = generator_loss(discriminator(fake).reconstruction, fake)
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    if step % max(1, steps // 10) == 0:
        print(f"step {step}: real {real_energy.mean():.2f}, fake {fake_energy.mean():.2f}")
save_png(image_grid(torch.cat((real[:8], fake[:8].detach())), columns=8), Path("own_images.png"))
