# Toolchain of libraries for Arm of 64 bits, compiled on another machine (make wheel-aarch64).

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

find_program(cross_compiler aarch64-linux-gnu-g++)
if(NOT cross_compiler)
  message(FATAL_ERROR "ebgan-kernels: EBGAN_KERNELS_TARGET=aarch64 needs aarch64-linux-gnu-g++; "
                      "apt-get install g++-aarch64-linux-gnu")
endif()
set(CMAKE_CXX_COMPILER "${cross_compiler}")
