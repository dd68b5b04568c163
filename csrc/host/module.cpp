// The Python module ebgan._host prepares data for the training code, in NumPy arrays. Each function checks its
// arguments under the GIL and works without it; the work itself is in the other files of this folder, which
// know nothing of Python.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "arrays.h"
#include "clip_batch.h"
#include "idx.h"
#include "image_batch.h"
#include "resample.h"

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

  // The crops are copied while the GIL is held, so that nothing checked can change while the threads run.
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

std::vector<Window> checked_windows(const std::vector<py::array>& windows, py::ssize_t frames) {
  std::vector<Window> checked;
  for (size_t b = 0; b < windows.size(); ++b) {
    const py::array& window = windows[b];
    const std::string name = "windows[" + std::to_string(b) + "]";
    check_array<uint8_t>(window, name.c_str(), 4);
    if (window.shape(0) != frames || window.shape(3) != kColours) {
      throw py::value_error(name + " has shape " + shape_text(window) + ", expected (" +
                            std::to_string(frames) + ", H, W, 3): as many frames as out");
    }
    checked.push_back({static_cast<const uint8_t*>(window.data()), window.shape(1), window.shape(2)});
  }
  return checked;
}

// Checks the arrays of `out`, coarsest first, each twice the size of the one before, and returns their data.
std::vector<float*> checked_scales(std::vector<py::array>& out, py::ssize_t batch) {
  const int64_t scales = static_cast<int64_t>(out.size());
  if (scales < 1 || scales > kMaxScales) {
    throw py::value_error("out holds " + std::to_string(scales) + " scales, expected 1 to " +
                          std::to_string(kMaxScales));
  }
  check_array<float>(out.back(), "out[-1]", 5);
  const py::ssize_t frames = out.back().shape(1);
  const py::ssize_t size = out.back().shape(4);
  if (size < 1 || size > kMaxSize || size % (py::ssize_t{1} << (scales - 1)) != 0) {
    throw py::value_error("out[-1] has patches of " + std::to_string(size) + " pixels, expected up to " +
                          std::to_string(kMaxSize) + ", divisible by 2 for each scale but one");
  }
  std::vector<float*> checked;
  for (int64_t k = 0; k < scales; ++k) {
    const std::string name = "out[" + std::to_string(k) + "]";
    check_array<float>(out[k], name.c_str(), 5);
    if (!out[k].writeable()) throw py::value_error(name + " is read-only");
    const py::tuple expected =
        py::make_tuple(batch, frames, kColours, size >> (scales - 1 - k), size >> (scales - 1 - k));
    if (!expected.equal(out[k].attr("shape"))) {
      throw py::value_error(name + " has shape " + shape_text(out[k]) + ", expected " +
                            py::str(expected).cast<std::string>());
    }
    checked.push_back(static_cast<float*>(out[k].mutable_data()));
  }
  return checked;
}

std::vector<Place> checked_places(const py::array& tops, const py::array& lefts, py::ssize_t batch) {
  check_array<int64_t>(tops, "tops", 2);
  check_array<int64_t>(lefts, "lefts", 2);
  if (tops.shape(0) != batch || tops.shape(1) < 1) {
    throw py::value_error("tops has shape " + shape_text(tops) + ", expected (" + std::to_string(batch) +
                          ", tries): at least one place for each window");
  }
  if (!tops.attr("shape").equal(lefts.attr("shape"))) {
    throw py::value_error("lefts has shape " + shape_text(lefts) + ", but tops has " + shape_text(tops));
  }
  const auto* top = static_cast<const int64_t*>(tops.data());
  const auto* left = static_cast<const int64_t*>(lefts.data());
  std::vector<Place> places(tops.size());
  for (py::ssize_t i = 0; i < tops.size(); ++i) places[i] = {top[i], left[i]};
  return places;
}

// The lists are taken by value, so that the arrays stay alive whatever happens to the caller's lists while the
// GIL is released.
void fill_clip_batch(std::vector<py::array> windows, const py::array& tops, const py::array& lefts,
                     int64_t min_squared_change, std::vector<py::array> out, int64_t threads) {
  const py::ssize_t batch = static_cast<py::ssize_t>(windows.size());
  const std::vector<float*> scales = checked_scales(out, batch);
  const PatchShape shape{out.back().shape(1), out.back().shape(4), static_cast<int64_t>(out.size())};
  const std::vector<Window> checked = checked_windows(windows, shape.frames);
  const std::vector<Place> places = checked_places(tops, lefts, batch);
  check_places(checked, places, shape.size);
  if (threads < 1) throw py::value_error("threads is " + std::to_string(threads) + ", expected at least 1");
  const py::gil_scoped_release unlocked;
  clip_batch(checked, places, min_squared_change, shape, scales, threads);
}

Axis checked_axis(const char* name, const py::array& starts, const py::array& weights, py::ssize_t extent) {
  check_array<int64_t>(starts, (std::string(name) + "_starts").c_str(), 1);
  check_array<int32_t>(weights, (std::string(name) + "_weights").c_str(), 2);
  if (weights.shape(0) != starts.shape(0)) {
    throw py::value_error(std::string(name) + "_weights has " + std::to_string(weights.shape(0)) +
                          " entries, but " + name + "_starts has " + std::to_string(starts.shape(0)));
  }
  // Copied while the GIL is held, so that nothing checked can change afterwards.
  const auto* start = static_cast<const int64_t*>(starts.data());
  const auto* weight = static_cast<const int32_t*>(weights.data());
  Axis axis{
      {start, start + starts.size()}, {weight, weight + weights.size()}, starts.shape(0), weights.shape(1)};
  check_axis(name, axis, extent);
  return axis;
}

void resample_picture(const py::array& pixels, const py::array& column_starts,
                      const py::array& column_weights, const py::array& row_starts,
                      const py::array& row_weights, py::array& out) {
  check_array<uint8_t>(pixels, "pixels", 3);
  if (pixels.shape(2) != 3) {
    throw py::value_error("pixels has shape " + shape_text(pixels) + ", expected (H, W, 3)");
  }
  const Axis columns = checked_axis("column", column_starts, column_weights, pixels.shape(1));
  const Axis rows = checked_axis("row", row_starts, row_weights, pixels.shape(0));
  check_array<uint8_t>(out, "out", 3);
  if (!out.writeable()) throw py::value_error("out is read-only");
  const py::tuple expected = py::make_tuple(3, rows.size, columns.size);
  if (!expected.equal(out.attr("shape"))) {
    throw py::value_error("out has shape " + shape_text(out) + ", expected " +
                          py::str(expected).cast<std::string>());
  }
  const auto* source = static_cast<const uint8_t*>(pixels.data());
  auto* destination = static_cast<uint8_t*>(out.mutable_data());
  const PictureSize size{pixels.shape(0), pixels.shape(1)};
  const py::gil_scoped_release unlocked;
  resample(source, size, columns, rows, destination);
}

}  // namespace

PYBIND11_MODULE(_host, module) {
  module.doc() =
      "Data preparation on the host: IDX files, pictures of another size, batches of images and of moving "
      "patches of clips.";

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

  module.def(
      "resample", &resample_picture, py::kw_only(), py::arg("pixels"), py::arg("column_starts"),
      py::arg("column_weights"), py::arg("row_starts"), py::arg("row_weights"), py::arg("out"),
      R"(Bring a picture to another size: each byte a weighted sum along its row, then along its column.

across[y, x, c] = byte(sum over k of column_weights[x, k] * pixels[y, column_starts[x] + k, c]), and
out[c, y, x] = byte(sum over k of row_weights[y, k] * across[row_starts[y] + k, x, c]), with byte(s) =
(s + 2**21) >> 22, between 0 and 255: weights are in units of 2**-22.

pixels: uint8 (H, W, 3); column_starts, row_starts: int64 (w,) and (h,); column_weights, row_weights: int32 (w, K) and
(h, L); out: uint8 (3, h, w), written. All in C order. The GIL is released meanwhile.
Raises TypeError for a wrong dtype, ValueError for a wrong shape or weights of a position whose magnitudes add up to
more than 2, IndexError for a position outside pixels.)");

  module.def("clip_batch", &fill_clip_batch, py::kw_only(), py::arg("windows"), py::arg("tops"),
             py::arg("lefts"), py::arg("min_squared_change"), py::arg("out"), py::arg("threads"),
             R"(Fill float32 batches, one for each scale, with moving patches of clips scaled to [-1, 1].

Of the places of window b, (tops[b, i], lefts[b, i]) for i = 0, 1, ..., the first is taken where the sum of squared
differences between the patch's last two frames, in bytes, exceeds min_squared_change; else the last. The finest scale
is the patch / 127.5 - 1, each coarser one the average over 2x2 of the one after it.

windows: B arrays uint8 (T, H, W, 3) of any H and W; tops, lefts: int64 (B, tries); out: 1 to 5 arrays float32
(B, T, 3, s, s), coarsest first, s doubling from one to the next, written. All in C order. threads: the most threads to
use; the result does not depend on it. The GIL is released meanwhile.
Raises TypeError for a wrong dtype, ValueError for a wrong shape, IndexError for a place outside its window.)");
}

}  // namespace ebgan::host
