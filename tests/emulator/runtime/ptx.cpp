// PTX as the kernels write it: the text is read once, and its operands are taken in the order in which it names them.

#include "ptx.h"

#include <cctype>
#include <cstring>
#include <deque>
#include <map>

#include "copies.h"
#include "hooks.h"

namespace emulator {
namespace {

void copy_16_bytes(const Arguments& arguments, Site site) {
  if (arguments.value(2) != 16) fail("cp.async of %d bytes is not emulated", static_cast<int>(arguments.value(2)));
  copy_async(static_cast<uint32_t>(arguments.value(0)), reinterpret_cast<const void*>(arguments.value(1)),
             static_cast<int>(arguments.value(3)), site);
}

void commit_group(const Arguments&, Site) { end_copy_group(); }

void wait_group(const Arguments& arguments, Site) {
  finish_copies(*current, static_cast<int>(arguments.value(0)));
}

// To the nearest of the numbers with 10 bits of fraction, ties away from zero; NaN and infinities as they are.
void round_to_tf32(const Arguments& arguments, Site) {
  uint32_t bits = static_cast<uint32_t>(arguments.value(1));
  if ((bits & 0x7f800000u) != 0x7f800000u) bits += 0x1000u;
  arguments.set(0, bits & 0xffffe000u, 4);
}

struct Entry {
  Execute execute;
  size_t operands;
};

const std::map<std::string, Entry>& emulated() {
  static const std::map<std::string, Entry> instructions = {
      {"cp.async.ca.shared.global", {copy_16_bytes, 4}},
      {"cp.async.cg.shared.global", {copy_16_bytes, 4}},
      {"cp.async.commit_group", {commit_group, 0}},
      {"cp.async.wait_group", {wait_group, 1}},
      {"ldmatrix.sync.aligned.m8n8.x4.shared.b16", {load_matrices, 5}},
      {"ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16", {load_transposed_matrices, 5}},
      {"cvt.rna.tf32.f32", {round_to_tf32, 2}},
      {"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", {multiply_float16, 14}},
      {"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", {multiply_bfloat16, 14}},
      {"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", {multiply_tf32, 14}},
  };
  return instructions;
}

Instruction read(const char* text) {
  Instruction instruction;
  instruction.text = text;
  const char* at = text;
  while (*at != '\0' && *at != ' ' && *at != ';') ++at;
  const std::string name(text, at);
  while (*at != '\0') {
    if (*at == '%') {
      instruction.positions.push_back(static_cast<int>(std::strtol(at + 1, const_cast<char**>(&at), 10)));
      instruction.immediate.push_back(0);
    } else if (std::isdigit(static_cast<unsigned char>(*at))) {
      instruction.positions.push_back(-1);
      instruction.immediate.push_back(std::strtoul(at, const_cast<char**>(&at), 10));
    } else {
      ++at;
    }
  }
  const auto entry = emulated().find(name);
  if (entry != emulated().end() && entry->second.operands == instruction.positions.size()) {
    instruction.execute = entry->second.execute;
  }
  return instruction;
}

}  // namespace

const Operand& Arguments::operand(size_t position) const {
  const size_t number = static_cast<size_t>(instruction_.positions[position]);
  if (number >= count_) {
    fail("\"%s\" names the operand %%%zu, and the asm statement has %zu", instruction_.text.c_str(), number, count_);
  }
  return operands_[number];
}

uint64_t Arguments::value(size_t position) const {
  if (instruction_.positions[position] < 0) return instruction_.immediate[position];
  const Operand& from = operand(position);
  if (from.constraint[0] == '=') {
    fail("\"%s\" reads an operand that the asm statement only writes (\"%s\")", instruction_.text.c_str(),
         from.constraint);
  }
  return from.bits;
}

void Arguments::set(size_t position, uint64_t bits, size_t bytes) const {
  const Operand& to = operand(position);
  if (to.target == nullptr) {
    fail("\"%s\" writes an operand that the asm statement only reads (\"%s\")", instruction_.text.c_str(),
         to.constraint);
  }
  std::memcpy(to.target, &bits, bytes);
}

const Instruction& decode(const char* text) {
  static std::deque<Instruction> instructions;
  return instructions.emplace_back(read(text));
}

void execute(const Instruction& instruction, std::initializer_list<Operand> operands, const char* file, int line) {
  if (instruction.execute == nullptr) {
    fail("the PTX instruction \"%s\" in %s:%d is not emulated; add it to tests/emulator/runtime/ptx.cpp",
         instruction.text.c_str(), file, line);
  }
  instruction.execute(Arguments(instruction, operands), {file, line});
}

}  // namespace emulator
