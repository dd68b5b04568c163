// Names of kernels for errors, from the library's own symbol table: a kernel is a hidden function, which dladdr misses.

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "launch.h"

namespace emulator {
namespace {

// The name of the function that holds `offset` bytes from the beginning of the file as it is loaded; null: not found.
const char* symbol_at(const char* file, uint64_t offset) {
  const auto* const header = reinterpret_cast<const Elf64_Ehdr*>(file);
  const auto* const sections = reinterpret_cast<const Elf64_Shdr*>(file + header->e_shoff);
  for (int i = 0; i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    const auto* const symbols = reinterpret_cast<const Elf64_Sym*>(file + sections[i].sh_offset);
    const char* const names = file + sections[sections[i].sh_link].sh_offset;
    for (uint64_t k = 0; k < sections[i].sh_size / sizeof(Elf64_Sym); ++k) {
      const bool function = ELF64_ST_TYPE(symbols[k].st_info) == STT_FUNC;
      if (function && offset >= symbols[k].st_value && offset < symbols[k].st_value + symbols[k].st_size) {
        return names + symbols[k].st_name;
      }
    }
  }
  return nullptr;
}

std::string demangled(const char* name) {
  int status = 0;
  char* const readable = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  if (status != 0) return name;
  std::string text(readable);
  std::free(readable);
  return text;
}

}  // namespace

std::string name_of(const void* code) {
  Dl_info library = {};
  if (dladdr(code, &library) == 0) return "an unknown kernel";
  const uint64_t offset = static_cast<uint64_t>(static_cast<const char*>(code) - static_cast<const char*>(library.dli_fbase));
  const int descriptor = open(library.dli_fname, O_RDONLY);
  struct stat status = {};
  if (descriptor < 0 || fstat(descriptor, &status) != 0) return library.dli_fname;
  const size_t bytes = static_cast<size_t>(status.st_size);
  void* const file = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
  close(descriptor);
  if (file == MAP_FAILED) return library.dli_fname;
  const char* const symbol = symbol_at(static_cast<const char*>(file), offset);
  const std::string name = symbol ? demangled(symbol) : "an unknown kernel";
  munmap(file, bytes);
  return name;
}

// The innermost line of csrc that was inlined at an address, by binutils' addr2line; each address is asked for once.
std::string place_of(const void* code) {
  static std::map<const void*, std::string> known;
  std::string& place = known[code];
  if (!place.empty()) return place;
  Dl_info library = {};
  if (dladdr(code, &library) == 0) return place = "an unknown place";
  char command[1024];
  const long offset = static_cast<const char*>(code) - static_cast<const char*>(library.dli_fbase) - 1;
  std::snprintf(command, sizeof command, "addr2line -i -e '%s' 0x%lx", library.dli_fname, offset);
  if (FILE* const pipe = popen(command, "r")) {
    char line[512];
    while (place.empty() && std::fgets(line, sizeof line, pipe)) {
      if (const char* const source = std::strstr(line, "csrc/")) place.assign(source, std::strcspn(source, " \n"));
    }
    pclose(pipe);
  }
  return place.empty() ? place = name_of(code) : place;
}

}  // namespace emulator
