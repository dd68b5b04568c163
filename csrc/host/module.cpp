// ebgan._host: NumPy-side data preparation of the training code. Each function checks its arguments under the
// GIL and works without it; the work itself is in the other files of this folder, which know nothing of
// Python.
#include <pybind11/pybind11.h>

#include "arrays.h"
#include "idx.h"
#include "image_batch.h"

namespace ebgan::host {
namespace {

py::array parse_idx_array(const py::buffer& data) {
  const py::buffer_info info = data.request();
  if (info.ndim != 1 || info.itemsize != 1 || (info.size > 1 && info.strides[0] != 1)) {
    throw py::type_error("data must be a contiguous buffer of bytes");
  }
  const auto* bytes = static_cast<const uint8_t*>(info.ptr);
  const IdxHeader header = parse_idx_header(bytes, static_cast<size_t>(info.size));
  py::array array(py::dtype(header.dtype), header.shape);
  auto* elements = static_cast<uint8_t*>(array.mutable_data());
  {
    const py::gil_scoped_release unlocked;
    copy_big_endian(bytes + header.header_bytes, header.count, header.itemsize, elements);
  }
  return array;
}

template <typename T>
const T* per_item(const py::array& array, const char* name, py::ssize_t batch) {
  check_array<T>(array, name, 1);
  if (array.shape(0) != batch) {
    throw py::value_error(std::string(name) + " has " + std::to_string(array.shape(0)) +
                          " entries, but indices has " + std::to_string(batch));
  }
  return static_cast<const T*>(array.data());
}

ImageSize image_size(const py::array& array) { return {array.shape(1), array.shape(2), array.shape(3)}; }

void fill_image_batch(const py::array& images, const py::array& indices, const py::array& top,
                      const py::array& left, const py::array& flip, py::array& out, int64_t threads) {
  check_array<uint8_t>(images, "images", 4);
  check_array<int64_t>(indices, "indices", 1);
  const py::ssize_t batch = indices.shape(0);
  const int64_t* image = per_item<int64_t>(indices, "indices", batch);
  const int64_t* tops = per_item<int64_t>(top, "top", batch);
  const int64_t* lefts = per_item<int64_t>(left, "left", batch);
  const bool* flips = per_item<bool>(flip, "flip", batch);
  check_array<float>(out, "out", 4);
  if (!out.writeable()) throw py::value_error("out is read-only");
  if (out.shape(0) != batch || out.shape(1) != images.shape(1)) {
    throw py::value_error("out has shape " + shape_text(out) + ", expected (" + std::to_string(batch) + ", " +
                          std::to_string(images.shape(1)) +
                          ", h, w): one image per index, channels as in images");
  }
  if (threads < 1) throw py::value_error("threads is " + std::to_string(threads) + ", expected at least 1");

  // Copied while the GIL is held: what has been checked cannot change under the threads.
  std::vector<Crop> crops(batch);
  for (py::ssize_t b = 0; b < batch; ++b) crops[b] = {image[b], tops[b], lefts[b], flips[b]};
  check_crops(crops, images.shape(0));
  const auto* pixels = static_cast<const uint8_t*>(images.data());
  auto* destination = static_cast<float*>(out.mutable_data());
  const ImageSize source_size = image_size(images);
  const ImageSize output_size = image_size(out);
  const py::gil_scoped_release unlocked;
  image_batch(pixels, source_size, crops, destination, output_size, threads);
}

}  // namespace

PYBIND11_MODULE(_host, module) {
  module.doc() = "Data preparation on the host: IDX files, batches of images.";

  module.def("parse_idx", &parse_idx_array, py::arg("data"),
             R"(Array held by an IDX file, in native byte order.

data: the whole uncompressed file, as bytes or another contiguous byte buffer. All six element types of the format.
Raises ValueError saying what is wrong with a malformed file. The elements are copied with the GIL released.)");

  module.def("image_batch", &fill_image_batch, py::kw_only(), py::arg("images"), py::arg("indices"),
             py::arg("top"), py::arg("left"), py::arg("flip"), py::arg("out"), py::arg("threads"),
             R"(Fill a float32 batch with cropped, mirrored images scaled to [-1, 1].

out[b, c, y, x] = images[indices[b], c, top[b] + y, left[b] + x'] / 127.5 - 1, with x' = w - 1 - x where flip[b]
is true and x otherwise; outside the image the value is -1.

images: uint8 (N, C, H, W); indices, top, left: int64 (B,); flip: bool (B,); out: float32 (B, C, h, w), written.
All in C order. threads: the most threads to use; the result does not depend on it. The GIL is released meanwhile.
Raises TypeError for a wrong dtype, ValueError for a wrong shape, IndexError for an index outside images.)");
}

}  // namespace ebgan::host
