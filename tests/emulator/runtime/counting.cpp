// Counts what each launch moves: accesses of the lanes of a warp are put together to requests, as a multiprocessor has
// them, by the place in the code and how often the lane has come there.
//
// Global memory: bytes asked for; sectors of 32 bytes that requests touch, and the fewest that could hold their bytes;
// distinct sectors of each block (what its L1 cache must fetch at least) and of the launch (what memory must deliver).
// Shared memory: passes of a request (wavefronts), and the fewest: one for 4 bytes a lane, two for 8, four for 16.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "emulator/counted.h"
#include "emulator/device_api.h"
#include "hooks.h"
#include "launch.h"
#include "watch.h"

namespace emulator {
namespace {

constexpr uint64_t kSector = 32;
constexpr uint64_t kPage = 4096;
constexpr int kBanks = 32;

// Of one place in the code.
struct LineCounts {
  Space space = Space::kOther;
  bool write = false;
  int64_t requests = 0;
  int64_t bytes = 0;
  int64_t parts = 0;  // sectors, or passes
  int64_t fewest = 0;
};

struct LaunchCounts {
  const void* kernel = nullptr;
  unsigned threads = 0;
  int64_t blocks = 0;
  unsigned cluster = 1;
  int64_t dynamic_bytes = 0;
  int64_t static_bytes = 0;
  int64_t barriers = 0;  // of threads
  int64_t atomics = 0;
  int64_t functions[counted::kFunctions] = {};
  // Sectors: [read, written].
  int64_t of_blocks[2] = {};
  int64_t of_launch[2] = {};
  std::map<const void*, LineCounts> lines;
};

using SectorBits = std::array<uint64_t, kPage / kSector / 64>;

// Which sectors have been touched; returns true for a new one.
class Sectors {
 public:
  bool insert(uint64_t sector) {
    const uint64_t page = sector / (kPage / kSector);
    if (page != last_page_ || last_ == nullptr) {
      last_ = &pages_[page];
      last_page_ = page;
    }
    uint64_t& word = (*last_)[sector % (kPage / kSector) / 64];
    const uint64_t bit = 1ul << (sector % 64);
    const bool fresh = !(word & bit);
    word |= bit;
    return fresh;
  }
  void clear() {
    pages_.clear();
    last_ = nullptr;
  }

 private:
  std::unordered_map<uint64_t, SectorBits> pages_;  // its elements stay where they are
  uint64_t last_page_ = 0;
  SectorBits* last_ = nullptr;
};

struct Request {
  uint64_t address[kWarpLanes];
  uint32_t bytes = 0;
  uint32_t lanes = 0;
};

// The requests of a warp at one place; lanes come there one after the other.
struct PlaceRequests {
  Space space = Space::kOther;
  bool write = false;
  uint32_t times[kWarpLanes] = {};
  std::vector<Request> requests;
};

std::vector<LaunchCounts> launches;
Sectors of_launch[2];
Sectors of_block[kMostClusterBlocks][2];
std::vector<std::unordered_map<const void*, PlaceRequests>> warps;

LaunchCounts& counts() { return launches.back(); }

// --- requests ------------------------------------------------------------------------------------

void count_global(const Request& request, bool write, LineCounts& line, unsigned rank) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    if (request.lanes >> lane & 1) ranges.push_back({request.address[lane], request.address[lane] + request.bytes});
  }
  std::sort(ranges.begin(), ranges.end());
  uint64_t distinct = 0;
  uint64_t covered = 0;
  uint64_t next_sector = 0;
  for (const auto& [begin, end] : ranges) {
    const uint64_t from = std::max(begin, covered);
    if (end > from) distinct += end - from;
    covered = std::max(covered, end);
    for (uint64_t sector = std::max(begin / kSector, next_sector); sector <= (end - 1) / kSector; ++sector) {
      ++line.parts;
      counts().of_blocks[write] += of_block[rank][write].insert(sector);
      counts().of_launch[write] += of_launch[write].insert(sector);
    }
    next_sector = std::max(next_sector, (end - 1) / kSector + 1);
  }
  line.bytes += static_cast<int64_t>(ranges.size()) * request.bytes;
  line.fewest += static_cast<int64_t>((distinct + kSector - 1) / kSector);
  ++line.requests;
}

// Lanes that are served together: 32 of 4 bytes, 16 of 8, 8 of 16. Lanes that read the same word share it.
void count_shared(const Request& request, LineCounts& line) {
  const int together = request.bytes <= 4 ? 32 : request.bytes <= 8 ? 16 : 8;
  for (int first = 0; first < kWarpLanes; first += together) {
    std::vector<uint64_t> words;
    for (int lane = first; lane < first + together; ++lane) {
      if (!(request.lanes >> lane & 1)) continue;
      for (uint64_t at = request.address[lane] / 4; at <= (request.address[lane] + request.bytes - 1) / 4; ++at) {
        words.push_back(at);
      }
    }
    if (words.empty()) continue;
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    int of_bank[kBanks] = {};
    for (const uint64_t word : words) ++of_bank[word % kBanks];
    line.parts += *std::max_element(of_bank, of_bank + kBanks);
    line.fewest += 1;
  }
  line.bytes += __builtin_popcount(request.lanes) * static_cast<int64_t>(request.bytes);
  ++line.requests;
}

void finish(const void* code, const PlaceRequests& place, Request& request, unsigned rank) {
  if (request.lanes == 0) return;
  LineCounts& line = counts().lines[code];
  line.space = place.space;
  line.write = place.write;
  if (place.space == Space::kGlobal) {
    count_global(request, place.write, line, rank);
  } else {
    count_shared(request, line);
  }
  request.lanes = 0;
}

size_t warp_index(const Thread& thread) { return static_cast<size_t>(thread.order / kWarpLanes); }

void add(const Thread& thread, uint64_t address, uint32_t bytes, bool write, Space space, const void* code) {
  PlaceRequests& place = warps[warp_index(thread)][code];
  place.space = space;
  place.write = write;
  const int lane = thread.lane();
  const uint32_t time = place.times[lane]++;
  if (time >= place.requests.size()) place.requests.resize(time + 1);
  Request& request = place.requests[time];
  request.address[lane] = address;
  request.bytes = bytes;
  request.lanes |= 1u << lane;
  if (request.lanes == 0xffffffffu) finish(code, place, request, thread.block->rank);
}

void finish_warp(size_t warp, unsigned rank) {
  for (auto& [code, place] : warps[warp]) {
    for (Request& request : place.requests) finish(code, place, request, rank);
  }
  warps[warp].clear();
}

// --- as text -------------------------------------------------------------------------------------

std::string text_of(const LaunchCounts& launch) {
  char line[512];
  std::snprintf(line, sizeof line,
                "{\"kernel\": \"%s\", \"blocks\": %ld, \"threads\": %u, \"cluster\": %u, \"dynamic_shared\": %ld, "
                "\"static_shared\": %ld, \"barriers\": %ld, \"atomics\": %ld, ",
                name_of(launch.kernel).c_str(), static_cast<long>(launch.blocks), launch.threads, launch.cluster,
                static_cast<long>(launch.dynamic_bytes), static_cast<long>(launch.static_bytes),
                static_cast<long>(launch.barriers / launch.threads), static_cast<long>(launch.atomics));
  std::string text = line;
  static const char* const names[] = {"exp", "log", "log1p", "pow", "sqrt", "tanh"};
  text += "\"functions\": {";
  for (int i = 0; i < counted::kFunctions; ++i) {
    text += std::string(i ? ", \"" : "\"") + names[i] + "\": " + std::to_string(launch.functions[i]);
  }
  std::snprintf(line, sizeof line,
                "}, \"sectors_of_blocks\": [%ld, %ld], \"sectors_of_launch\": [%ld, %ld], \"lines\": [",
                static_cast<long>(launch.of_blocks[0]), static_cast<long>(launch.of_blocks[1]),
                static_cast<long>(launch.of_launch[0]), static_cast<long>(launch.of_launch[1]));
  text += line;
  bool first = true;
  for (const auto& [code, of] : launch.lines) {
    text += std::string(first ? "" : ", ") + "{\"place\": \"" + place_of(code) + "\", \"space\": \"" +
            (of.space == Space::kGlobal ? "global" : "shared") + "\", \"write\": " + (of.write ? "true" : "false");
    std::snprintf(line, sizeof line, ", \"requests\": %ld, \"bytes\": %ld, \"parts\": %ld, \"fewest\": %ld}",
                  static_cast<long>(of.requests), static_cast<long>(of.bytes), static_cast<long>(of.parts),
                  static_cast<long>(of.fewest));
    text += line;
    first = false;
  }
  return text + "]}";
}

}  // namespace

void watch(const void* address, int64_t bytes, bool write, Space space, const void* code) {
  // A structure of more than 16 bytes takes several instructions.
  for (int64_t done = 0; done < bytes; done += 16) {
    const int64_t part = std::min<int64_t>(16, bytes - done);
    add(*current, reinterpret_cast<uintptr_t>(address) + static_cast<uint64_t>(done), static_cast<uint32_t>(part),
        write, space, static_cast<const char*>(code) - done / 16);
  }
}

void note_atomic(const void*, int) { ++counts().atomics; }
void note_barrier() { ++counts().barriers; }
void note_copy_begins(const AsyncCopy& copy, Site) {
  watch(copy.to, 16, true, Space::kShared, __builtin_return_address(0));
}
void note_copy_ends(const Thread&, const AsyncCopy&) {}

void note_matrix_rows(const uint32_t* addresses, int rows, Site) {
  Request request;
  request.bytes = 16;
  request.lanes = 0xffffffffu;
  for (int lane = 0; lane < rows; ++lane) request.address[lane] = addresses[lane];
  LineCounts& line = counts().lines[__builtin_return_address(0)];
  line.space = Space::kShared;
  count_shared(request, line);
}

void launch_begins() {
  LaunchCounts fresh;
  fresh.kernel = launch.kernel.address;
  fresh.threads = launch.threads;
  fresh.blocks = launch.blocks;
  fresh.cluster = launch.cluster;
  fresh.dynamic_bytes = launch.dynamic_bytes;
  launches.push_back(fresh);
  for (Sectors& sectors : of_launch) sectors.clear();
  warps.resize(std::max<size_t>(warps.size(), (launch.cluster_threads() + kWarpLanes - 1) / kWarpLanes));
}

void launch_ended(bool) { counts().static_bytes = launch.static_bytes; }

void block_begins(Block& block) {
  for (Sectors& sectors : of_block[block.rank]) sectors.clear();
}

void thread_ended(Thread& thread) {
  Block& block = *thread.block;
  if (block.ended < block.threads) return;
  const size_t of_warp = static_cast<size_t>((block.threads + kWarpLanes - 1) / kWarpLanes);
  for (size_t i = 0; i < of_warp; ++i) finish_warp(block.rank * of_warp + i, block.rank);
}

namespace counted {
void count(Function function) {
  if (current != nullptr) ++counts().functions[function];
}
}  // namespace counted

}  // namespace emulator

extern "C" __attribute__((visibility("default"))) void emulator_forget_counts() { emulator::launches.clear(); }

// All launches since the counts were forgotten, as a JSON list; the text is valid until the next call.
extern "C" __attribute__((visibility("default"))) const char* emulator_counts() {
  static std::string text;
  text = "[";
  for (size_t i = 0; i < emulator::launches.size(); ++i) {
    text += (i ? ",\n" : "") + emulator::text_of(emulator::launches[i]);
  }
  text += "]";
  return text.c_str();
}
