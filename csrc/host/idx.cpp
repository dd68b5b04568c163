#include "idx.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

namespace ebgan::host {
namespace {

constexpr size_t kMaxDimensions = 32;  // NumPy 1.x allows no more; MNIST has three

struct Dtype {
  uint8_t code;
  const char* name;
  size_t itemsize;
};
constexpr Dtype kDtypes[] = {
    {0x08, "uint8", 1}, {0x09, "int8", 1},    {0x0B, "int16", 2},
    {0x0C, "int32", 4}, {0x0D, "float32", 4}, {0x0E, "float64", 8},
};

[[noreturn]] void fail(const std::string& message) { throw std::invalid_argument("IDX: " + message); }

// Assembles a word by shifts, so that this machine's byte order does not matter; compilers make one swap of it.
template <typename Word>
Word read_big_endian(const uint8_t* bytes) {
  Word word = 0;
  for (size_t i = 0; i < sizeof(Word); ++i) word = static_cast<Word>(word << 8 | bytes[i]);
  return word;
}

template <typename Word>
void copy_words(const uint8_t* source, size_t count, uint8_t* destination) {
  for (size_t i = 0; i < count; ++i) {
    const Word word = read_big_endian<Word>(source + i * sizeof(Word));
    std::memcpy(destination + i * sizeof(Word), &word, sizeof(Word));
  }
}

const Dtype& find_dtype(uint8_t code) {
  for (const Dtype& dtype : kDtypes) {
    if (dtype.code == code) return dtype;
  }
  char text[8];
  std::snprintf(text, sizeof(text), "0x%02X", code);
  fail("unknown dtype code " + std::string(text) +
       "; known are 0x08 (uint8), 0x09 (int8), 0x0B (int16), 0x0C (int32), 0x0D (float32), 0x0E (float64)");
}

}  // namespace

IdxHeader parse_idx_header(const uint8_t* data, size_t bytes) {
  if (bytes < 4) fail("truncated header: " + std::to_string(bytes) + " bytes where the magic number takes 4");
  if (data[0] != 0 || data[1] != 0) {
    char text[16];
    std::snprintf(text, sizeof(text), "%02X %02X", data[0], data[1]);
    fail("bad magic number: the file begins with " + std::string(text) + " instead of 00 00");
  }
  const Dtype& dtype = find_dtype(data[2]);
  const size_t dimensions = data[3];
  if (dimensions < 1 || dimensions > kMaxDimensions) {
    fail(std::to_string(dimensions) + " dimensions announced; 1 to " + std::to_string(kMaxDimensions) +
         " are allowed");
  }
  const size_t header_bytes = 4 + 4 * dimensions;
  if (bytes < header_bytes) {
    fail("truncated header: " + std::to_string(bytes) + " bytes where " + std::to_string(dimensions) +
         " dimensions take " + std::to_string(header_bytes));
  }

  IdxHeader header{dtype.name, dtype.itemsize, {}, 1, header_bytes};
  // A size of zero counts as one here: NumPy refuses shapes whose other sizes overflow, however empty the
  // array.
  size_t extent = dtype.itemsize;
  for (size_t d = 0; d < dimensions; ++d) {
    const size_t size = read_big_endian<uint32_t>(data + 4 + 4 * d);
    if (std::max<size_t>(size, 1) > std::numeric_limits<ptrdiff_t>::max() / extent) {
      fail("the announced sizes multiply to more bytes than this machine can address");
    }
    extent *= std::max<size_t>(size, 1);
    header.count *= size;
    header.shape.push_back(size);
  }

  const size_t announced = header.count * header.itemsize;
  const size_t present = bytes - header_bytes;
  if (present != announced) {
    fail("the header announces " + std::to_string(announced) + " bytes of elements, the file holds " +
         std::to_string(present) + (present < announced ? ": it is cut short" : ": it is too long"));
  }
  return header;
}

void copy_big_endian(const uint8_t* source, size_t count, size_t itemsize, uint8_t* destination) {
  switch (itemsize) {
    case 1:
      if (count > 0) std::memcpy(destination, source, count);
      return;
    case 2:
      return copy_words<uint16_t>(source, count, destination);
    case 4:
      return copy_words<uint32_t>(source, count, destination);
    case 8:
      return copy_words<uint64_t>(source, count, destination);
  }
  throw std::logic_error("copy_big_endian: itemsize " + std::to_string(itemsize));
}

}  // namespace ebgan::host
