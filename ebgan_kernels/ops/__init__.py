"""The public operators: ``<family>.py`` holds functions and modules, ``<family>_autograd.py`` the autograd."""
