import torch, pytest
from ebgan_kernels.triton import energy, energy_kernels


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("cap", [80, 90, 100])
@pytest.mark.parametrize("D", [784, 4096, 8192, 12288, 49152])
def test_x(launches_of, tmp_path, D, cap, dtype):
    a, b, c, d = (torch.zeros(16, D, dtype=dtype) for _ in range(4))
    m = torch.zeros((), dtype=torch.float32)
    L = launches_of(
        energy_kernels, lambda: energy.discriminator_loss(a, b, c, d, m, 0, 0, True, True, True, True)
    )
    for l in L:
        k = l.compile(cap)
        print(
            D,
            dtype,
            cap,
            l.kernel.__name__,
            l.options,
            sorted(k.global_accesses()),
            k.registers_and_spills(tmp_path),
        )
