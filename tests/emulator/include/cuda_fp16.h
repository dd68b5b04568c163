// Stand-in for CUDA's float16: the compiler's own type, which rounds to nearest, ties to even.

#pragma once

struct __half {
  _Float16 value;

  __half() = default;
  explicit __half(float from) : value(static_cast<_Float16>(from)) {}
  explicit __half(double from) : value(static_cast<_Float16>(from)) {}
  explicit operator float() const { return static_cast<float>(value); }
  explicit operator double() const { return static_cast<double>(value); }
};
