// The IDX format of MNIST and its relatives: two zero bytes, a dtype code, the number of dimensions, each
// size as a big-endian uint32, then the elements in C order, big-endian. This file knows nothing of Python;
// errors are std::invalid_argument, which pybind11 turns into ValueError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ebgan::host {

struct IdxHeader {
  const char* dtype;          // NumPy's name of the native type
  size_t itemsize;            // bytes of one element
  std::vector<size_t> shape;  // outermost first
  size_t count;               // number of elements, the product of the shape
  size_t header_bytes;        // where the elements begin
};

// Reads the header and checks that the file holds exactly the elements that it announces.
IdxHeader parse_idx_header(const uint8_t* data, size_t bytes);

// Copies `count` big-endian elements of 1, 2, 4 or 8 bytes to the byte order of this machine.
void copy_big_endian(const uint8_t* source, size_t count, size_t itemsize, uint8_t* destination);

}  // namespace ebgan::host
