"""The compiled operators: schemas, fake kernels, and the libraries that implement them.

Every family is defined as soon as anything here is imported: what looks operators up finds all of them.
"""

from ebgan_kernels.native import energy as energy
from ebgan_kernels.native import gdl as gdl
from ebgan_kernels.native import gradient as gradient
from ebgan_kernels.native import ladder as ladder
from ebgan_kernels.native import pulling_away as pulling_away
from ebgan_kernels.native import valid_conv as valid_conv
