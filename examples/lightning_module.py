"""An EBGAN as a LightningModule: pip install lightning && python examples/lightning_module.py

The modules of the losses hold the margin in a buffer, so that Lightning moves and stores it.
"""

import torch
from torch.utils.data import DataLoader, TensorDataset

import ebgan.gan
from ebgan.data import load
from ebgan_kernels import EBGANDiscriminatorLoss, EBGANGeneratorLoss

try:
    import lightning
except ImportError:
    raise SystemExit("this example needs Lightning: pip install lightning") from None


class LightningEBGAN(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False  # two optimisers
        self.generator = ebgan.gan.generator("digits")
        self.discriminator = ebgan.gan.discriminator("digits")
        self.d_loss, self.g_loss = EBGANDiscriminatorLoss(margin=3.0), EBGANGeneratorLoss()

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        nets = (self.discriminator, self.generator)
        return [torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for net in nets]

    def training_step(self, batch: tuple[torch.Tensor], batch_index: int) -> None:
        (real,) = batch
        fake = self.generator(torch.randn(len(real), 32, device=self.device))
        d_optimizer, g_optimizer = self.optimizers()

        of_real, of_fake = self.discriminator(real), self.discriminator(fake.detach())
        d = self.d_loss(of_real.reconstruction, real, of_fake.reconstruction, fake.detach())
        d_optimizer.zero_grad()
        self.manual_backward(d.loss)
        d_optimizer.step()

        g_optimizer.zero_grad()
        self.manual_backward(self.g_loss(self.discriminator(fake).reconstruction, fake))
        g_optimizer.step()
        self.log_dict({"real": d.real_energy.mean(), "fake": d.fake_energy.mean()})


if __name__ == "__main__":
    images = torch.as_tensor(load("digits").images).float() / 127.5 - 1
    trainer = lightning.Trainer(max_epochs=10, accelerator="cpu", logger=False, enable_progress_bar=False)
    trainer.fit(LightningEBGAN(), DataLoader(TensorDataset(images), batch_size=128, shuffle=True))
    print(", ".join(f"{name} {value:.2f}" for name, value in trainer.callback_metrics.items()))
