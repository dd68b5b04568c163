// What tests and benchmarks ask of the runtime through ctypes, and what the environment sets as the library is loaded:
// EMULATOR_SEED (the order of threads and blocks) and EMULATOR_DEVICE (a name in devices.cpp).

#include <cstdio>
#include <cstdlib>
#include <string>

#include "devices.h"
#include "launch.h"

#define EMULATOR_EXPORT extern "C" __attribute__((visibility("default")))

EMULATOR_EXPORT int emulator_use_device(const char* name) { return emulator::use_device(name); }
EMULATOR_EXPORT const char* emulator_device() { return emulator::device().name; }
EMULATOR_EXPORT const char* emulator_devices() {
  static const std::string names = emulator::device_names();
  return names.c_str();
}
EMULATOR_EXPORT void emulator_set_seed(unsigned long seed) { emulator::seed = seed; }
EMULATOR_EXPORT unsigned long emulator_seed() { return emulator::seed; }
EMULATOR_EXPORT const char* emulator_variant() { return EMULATOR_VARIANT; }

namespace {

[[gnu::constructor]] void read_environment() {
  if (const char* const text = std::getenv("EMULATOR_SEED")) {
    char* end = nullptr;
    emulator::seed = std::strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0') {
      std::fprintf(stderr, "EMULATOR_SEED is \"%s\"; it must be a whole number\n", text);
      std::exit(2);
    }
  }
  const char* const name = std::getenv("EMULATOR_DEVICE");
  if (name != nullptr && !emulator::use_device(name)) {
    std::fprintf(stderr, "EMULATOR_DEVICE is \"%s\"; see tests/emulator/runtime/devices.cpp for their names\n", name);
    std::exit(2);
  }
}

}  // namespace
