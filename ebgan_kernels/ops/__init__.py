"""The public operators: one file a family, holding functions, modules and autograd."""
