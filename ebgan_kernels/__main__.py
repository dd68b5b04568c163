"""``python -m ebgan_kernels``: what is available here, what is not, and why."""

from ebgan_kernels import backend_report

if __name__ == "__main__":
    print(backend_report())
