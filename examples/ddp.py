"""EBGAN-PT on several processes, on CPUs or GPUs: torchrun --nproc-per-node 2 examples/ddp.py

Each process trains on a share of every batch. The pulling-away term takes the process group, and so is the
term of the whole batch. At the end the processes compare their weights, which must be equal.
"""

import os
import sys

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP

import ebgan.gan
from ebgan.data import load
from ebgan.training import frozen
from ebgan_kernels import discriminator_loss, generator_loss

gpu = torch.cuda.is_available()
dist.init_process_group("nccl" if gpu else "gloo")
rank = dist.get_rank()
device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if gpu else torch.device("cpu")
torch.manual_seed(rank)  # each process has its own images and noise; DDP gives all the weights of rank 0

images = torch.as_tensor(load("digits").images, device=device).float() / 127.5 - 1
generator, discriminator = (  # without a broadcast of buffers, which would change them between two forwards
    DDP(net.to(device), broadcast_buffers=False)
    for net in (ebgan.gan.generator("digits"), ebgan.gan.discriminator("digits"))
)
g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))

for step in range(1, 101):
    real = images[torch.randint(len(images), (64,), device=device)]
    fake = generator(torch.randn(64, 32, device=device))
    of_real, of_fake = discriminator(real).reconstruction, discriminator(fake.detach()).reconstruction
    d_loss, real_energy, fake_energy = discriminator_loss(of_real, real, of_fake, fake.detach(), margin=3.0)
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()

    with frozen(discriminator):
        reconstruction, codes = discriminator(fake)
        g_loss = generator_loss(reconstruction, fake, codes=codes, group=dist.group.WORLD)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
    if step % 50 == 0 and rank == 0:
        print(f"step {step}: real {real_energy.mean():.2f}, fake {fake_energy.mean():.2f}")

weights = torch.cat([parameter.detach().flatten() for parameter in generator.parameters()])
of_all = [torch.empty_like(weights) for _ in range(dist.get_world_size())]
dist.all_gather(of_all, weights)
if rank == 0:
    print(f"{len(of_all)} processes, equal weights: {all(torch.equal(weights, each) for each in of_all)}")
dist.destroy_process_group()
sys.stdout.flush()
os._exit(0)  # torch 2.13 over gloo aborts now and then as Python ends, and torchrun calls that a failure
