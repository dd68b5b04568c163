// A device as the host sees it.

#pragma once

#include <string>

namespace emulator {

struct Device {
  const char* name;
  int major;  // compute capability
  int minor;
  int multiprocessors;
  int shared_per_block;  // bytes, after opting in
  int shared_per_multiprocessor;
  int reserved_shared;     // of each block
  bool room_for_clusters;  // of blocks that take more than half of a multiprocessor's shared memory
};

const Device& device();
std::string device_names();  // with spaces between
bool use_device(const char* name);

}  // namespace emulator
