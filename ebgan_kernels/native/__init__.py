"""The compiled operators: schemas, fake kernels, and the libraries that implement them.

Importing anything of this package defines the operators of all families, so that
``ebgan_kernels.ops.gradients`` finds every one of them.
"""

from ebgan_kernels.native import energy as energy
from ebgan_kernels.native import gdl as gdl
from ebgan_kernels.native import gradient as gradient
from ebgan_kernels.native import ladder as ladder
from ebgan_kernels.native import pulling_away as pulling_away
from ebgan_kernels.native import valid_conv as valid_conv
