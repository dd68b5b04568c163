// Lanes meet: shuffles, ballots and the warp's barrier; the tensor cores' instructions are in ptx.cpp.

#include "warp.h"

#include <cstring>

#include "emulator/device_api.h"
#include "launch.h"

namespace emulator {
namespace {

struct Exchanged {
  alignas(16) char value[16];
  int bytes;
  int argument;
  int width;
  Exchange kind;
};

const Exchanged& of_lane(const Meeting& meeting, int lane) {
  return *reinterpret_cast<const Exchanged*>(meeting.in[lane]);
}

// As the PTX manual has it: a lane whose source lies outside of its segment of `width` lanes keeps its own value.
int source_lane(const Exchanged& mine, int lane) {
  const int first = lane / mine.width * mine.width;
  const int last = first + mine.width - 1;
  switch (mine.kind) {
    case Exchange::kXor:
      return (lane ^ mine.argument) > last ? lane : lane ^ mine.argument;
    case Exchange::kUp:
      return lane - mine.argument < first ? lane : lane - mine.argument;
    case Exchange::kDown:
      return lane + mine.argument > last ? lane : lane + mine.argument;
    default:
      return first + (mine.argument & (mine.width - 1));
  }
}

void exchange_all(Meeting& meeting, uint32_t mask, char (*results)[32], Site site) {
  uint32_t ballot = 0;
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    if ((mask >> lane & 1) && of_lane(meeting, lane).value[0] == 1) ballot |= 1u << lane;
  }
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    if (!(mask >> lane & 1)) continue;
    const Exchanged& mine = of_lane(meeting, lane);
    if (mine.kind == Exchange::kBallot) {
      std::memcpy(results[lane], &ballot, sizeof ballot);
      continue;
    }
    const int source = source_lane(mine, lane);
    if (!(mask >> source & 1)) {
      fail("lane %d reads lane %d, which takes no part in the shuffle in %s:%d", lane, source, site.file, site.line);
    }
    std::memcpy(results[lane], of_lane(meeting, source).value, static_cast<size_t>(mine.bytes));
  }
}

void nothing(Meeting&, uint32_t, char (*)[32], Site) {}

}  // namespace

const char* meet(uint32_t mask, const void* what, Together together, const void* value, int bytes, Site site) {
  Thread& thread = *current;
  Warp& warp = *thread.warp;
  Meeting& meeting = warp.meeting;
  const int lane = thread.lane();
  const int in_warp = thread.block->threads - (thread.number - lane);
  const uint32_t existing = in_warp >= kWarpLanes ? 0xffffffffu : (1u << in_warp) - 1;
  if (!(mask >> lane & 1) || (mask & ~existing)) {
    fail("lane %d names the lanes 0x%x in %s:%d, of which it must be one and all must exist (0x%x do)", lane, mask,
         site.file, site.line, existing);
  }
  if (meeting.arrived == 0) {
    meeting.site = site;
    meeting.what = what;
  } else if (meeting.what != what || meeting.site.line != site.line) {
    fail("lanes of a warp of block %ld meet at different instructions, in %s:%d and in line %d",
         static_cast<long>(thread.block->number), meeting.site.file, meeting.site.line, site.line);
  }
  std::memcpy(meeting.in[lane], value, static_cast<size_t>(bytes));
  meeting.arrived |= 1u << lane;
  const uint32_t parity = warp.meetings & 1;
  if (meeting.arrived != mask) {
    wait_for(Waiting::kForWarp, site);
    return meeting.out[parity][lane];
  }
  together(meeting, mask, meeting.out[parity], site);
  meeting.arrived = 0;
  ++warp.meetings;
  const int first = thread.order - lane;
  for (int i = 0; i < kWarpLanes; ++i) {
    if (i == lane || !(mask >> i & 1)) continue;
    make_ready(threads_of_cluster()[static_cast<size_t>(first + i)]);
  }
  return meeting.out[parity][lane];
}

void exchange(Exchange kind, unsigned mask, const void* value, int bytes, int argument, int width, void* result,
              Site site) {
  Exchanged mine = {};
  std::memcpy(mine.value, value, static_cast<size_t>(bytes));
  mine.bytes = bytes;
  mine.argument = argument;
  mine.width = width;
  mine.kind = kind;
  static const char what = 0;
  std::memcpy(result, meet(mask, &what, exchange_all, &mine, sizeof mine, site), static_cast<size_t>(bytes));
}

void sync_warp(unsigned mask, Site site) {
  static const char what = 0;
  meet(mask, &what, nothing, "", 1, site);
  ++current->clock.warp_barriers;
}

}  // namespace emulator
