// Checked views of NumPy arrays. Arrays are never converted: a silent copy would cost what these functions
// save, and a copied output would lose the result.
#pragma once

#include <pybind11/numpy.h>

#include <string>

namespace ebgan::host {

namespace py = pybind11;

inline std::string shape_text(const py::array& array) {
  return py::str(array.attr("shape")).cast<std::string>();
}

// Throws unless `array` has the element type T, `ndim` dimensions and C order.
template <typename T>
void check_array(const py::array& array, const char* name, py::ssize_t ndim) {
  if (!py::isinstance<py::array_t<T>>(array)) {
    throw py::type_error(std::string(name) + " has dtype " + py::str(array.dtype()).cast<std::string>() +
                         ", expected " + py::str(py::dtype::of<T>()).cast<std::string>());
  }
  if (array.ndim() != ndim) {
    throw py::value_error(std::string(name) + " has shape " + shape_text(array) + ", expected " +
                          std::to_string(ndim) + " dimensions");
  }
  if (!(array.flags() & py::array::c_style)) {
    throw py::value_error(std::string(name) + " is not C-contiguous; pass numpy.ascontiguousarray(" + name +
                          ")");
  }
}

}  // namespace ebgan::host
