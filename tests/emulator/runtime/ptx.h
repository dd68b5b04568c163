// A PTX instruction as an asm statement has it: its name, and where each of its operands comes from.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "emulator/device_api.h"

namespace emulator {

// The operands of an asm statement, in the order in which the instruction names them.
class Arguments {
 public:
  Arguments(const Instruction& instruction, std::initializer_list<Operand> operands)
      : instruction_(instruction), operands_(operands.begin()), count_(operands.size()) {}

  uint64_t value(size_t position) const;
  void set(size_t position, uint64_t bits, size_t bytes) const;

 private:
  const Operand& operand(size_t position) const;

  const Instruction& instruction_;
  const Operand* operands_;
  size_t count_;
};

using Execute = void (*)(const Arguments& arguments, Site site);

struct Instruction {
  std::string text;
  std::vector<int> positions;      // operand numbers, in the order of the text; -1: a number that the text gives
  std::vector<uint64_t> immediate;  // that number
  Execute execute = nullptr;        // null: not emulated
};

// fragments.cpp: what lanes do together.
void load_matrices(const Arguments& arguments, Site site);
void load_transposed_matrices(const Arguments& arguments, Site site);
void multiply_float16(const Arguments& arguments, Site site);
void multiply_bfloat16(const Arguments& arguments, Site site);
void multiply_tf32(const Arguments& arguments, Site site);

}  // namespace emulator
