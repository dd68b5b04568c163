"""The public operators: ``<family>.py`` has functions and modules, ``<family>_autograd.py`` the autograd."""
