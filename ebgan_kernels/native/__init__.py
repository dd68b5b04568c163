"""The compiled operators: schemas, fake kernels, and the libraries that implement them."""
