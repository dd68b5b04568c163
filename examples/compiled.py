"""An EBGAN whose forward passes and losses are compiled by torch.compile: python examples/compiled.py

The losses work under fullgraph=True. The margin is a buffer, so that lowering it compiles nothing again: the
example counts how often each function was compiled.
"""

import torch
from torch import Tensor

import ebgan.gan
from ebgan.data import load
from ebgan_kernels import DiscriminatorLoss, EBGANDiscriminatorLoss, EBGANGeneratorLoss

images = torch.as_tensor(load("digits").images).float() / 127.5 - 1
generator, discriminator = ebgan.gan.generator("digits"), ebgan.gan.discriminator("digits")
d_criterion, g_criterion = EBGANDiscriminatorLoss(margin=3.0), EBGANGeneratorLoss()
g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))


@torch.compile(fullgraph=True)
def d_loss(real: Tensor, fake: Tensor) -> DiscriminatorLoss:
    return d_criterion(discriminator(real).reconstruction, real, discriminator(fake).reconstruction, fake)


@torch.compile(fullgraph=True)
def g_loss(noise: Tensor) -> Tensor:
    fake = generator(noise)
    return g_criterion(discriminator(fake).reconstruction, fake)


for step in range(1, 101):
    real, noise = images[torch.randint(len(images), (128,))], torch.randn(128, 32)
    d_criterion.margin = 3.0 - step / 100
    with torch.no_grad():
        fake = generator(noise)
    d = d_loss(real, fake)
    d_optimizer.zero_grad()
    d.loss.backward()
    d_optimizer.step()

    loss = g_loss(noise)
    g_optimizer.zero_grad()
    loss.backward()
    g_optimizer.step()
    if step % 50 == 0:
        energies = f"real {d.real_energy.mean():.2f}, fake {d.fake_energy.mean():.2f}"
        print(f"step {step}: margin {d_criterion.margin:.2f}, {energies}")
print(f"graphs compiled: {torch._dynamo.utils.counters['stats']['unique_graphs']}")
