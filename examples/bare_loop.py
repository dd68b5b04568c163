"""An EBGAN on handwritten digits in a bare loop: python examples/bare_loop.py

It prints the energies of real and generated images: real ones fall, generated ones settle below the margin.
"""

import torch

import ebgan.gan
from ebgan.data import load
from ebgan_kernels import discriminator_loss, generator_loss

images = torch.as_tensor(load("digits").images).float() / 127.5 - 1  # (1442, 1, 8, 8) in [-1, 1]
generator, discriminator = ebgan.gan.generator("digits"), ebgan.gan.discriminator("digits")
g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))

for step in range(1, 501):
    real = images[torch.randint(len(images), (128,))]
    fake = generator(torch.randn(128, 32))
    of_real, of_fake = discriminator(real).reconstruction, discriminator(fake.detach()).reconstruction
    d_loss, real_energy, fake_energy = discriminator_loss(of_real, real, of_fake, fake.detach(), margin=3.0)
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()

    g_loss = generator_loss(discriminator(fake).reconstruction, fake)
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    if step % 100 == 0:
        print(f"step {step}: real {real_energy.mean():.2f}, fake {fake_energy.mean():.2f}")
torch.save(generator.state_dict(), "generator.pt")
