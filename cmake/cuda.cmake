# The CUDA library: built against a CPU-only torch too, since the stable ABI needs torch's headers and no GPU.
# Sets cuda_note (why there is none), cuda_targets, cuda_driver; adds the target _C_cuda to products.

set(default_targets "7.5;8.0;8.6;8.9;9.0;10.0;11.0;12.0;12.0+PTX")

find_program(nvcc nvcc HINTS "$ENV{CUDA_HOME}/bin" "$ENV{CUDA_PATH}/bin" /usr/local/cuda/bin "${EBGAN_NVCC_FOLDER}")
if(nvcc)
  set(ENV{CUDACXX} "${nvcc}")
  set(CMAKE_CUDA_ARCHITECTURES OFF)  # given below as -gencode: CMake's own list has no +PTX
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    set(cuda_note "${nvcc} cannot compile; mend the CUDA toolkit, or set CUDA_HOME to another")
  endif()
else()
  set(cuda_note "no nvcc on PATH nor in CUDA_HOME; install the CUDA toolkit and reinstall")
endif()

if(NOT nvcc OR NOT CMAKE_CUDA_COMPILER)
  if(cuda STREQUAL "on")
    message(FATAL_ERROR "ebgan-kernels: EBGAN_KERNELS_CUDA=on, but ${cuda_note}")
  endif()
  message(STATUS "ebgan-kernels: the CUDA library is left out: ${cuda_note}")
  return()
endif()

enable_language(CUDA)
set(cuda_note "")

set(cuda_targets "${EBGAN_CUDA_ARCHITECTURES}")
if(NOT cuda_targets)
  set(cuda_targets "${default_targets}")
endif()
string(REGEX REPLACE "[ ,;]+" ";" cuda_targets "${cuda_targets}")

set(gencode "")
foreach(target IN LISTS cuda_targets)
  if(NOT target MATCHES "^([0-9]+)\\.([0-9])([af]?)(\\+PTX)?$")
    message(FATAL_ERROR "ebgan-kernels: TORCH_CUDA_ARCH_LIST names \"${target}\"; write compute capabilities such as 8.0;9.0+PTX")
  endif()
  set(number "${CMAKE_MATCH_1}${CMAKE_MATCH_2}${CMAKE_MATCH_3}")
  list(APPEND gencode "-gencode=arch=compute_${number},code=sm_${number}")
  if(CMAKE_MATCH_4)
    list(APPEND gencode "-gencode=arch=compute_${number},code=compute_${number}")
  endif()
endforeach()
list(REMOVE_DUPLICATES gencode)

# CUDA 13 is the oldest that knows every default target; its static runtime needs this driver.
string(REGEX MATCH "^[0-9]+" cuda_major "${CMAKE_CUDA_COMPILER_VERSION}")
if(cuda_major GREATER_EQUAL 13)
  set(cuda_driver "580")
else()
  set(cuda_driver "525")
endif()

file(GLOB cuda_sources CONFIGURE_DEPENDS csrc/cuda/*.cu)
add_library(_C_cuda MODULE ${cuda_sources})
target_link_libraries(_C_cuda PRIVATE torch_stable)
target_compile_definitions(_C_cuda PRIVATE USE_CUDA)
target_compile_options(_C_cuda PRIVATE
  $<$<COMPILE_LANGUAGE:CUDA>:-O3 ${gencode} --threads=2 -Xptxas=-v,-warn-spills,-warn-lmem-usage -Xcompiler=-Wall,-Wextra>)
if(EBGAN_WARNINGS_FAIL)
  target_compile_options(_C_cuda PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings -Xptxas=-Werror -Xcompiler=-Werror>)
endif()
if(EBGAN_GLIBC)  # Zig does not know where the toolkit's libraries are, as this machine's compiler does
  foreach(folder IN LISTS CMAKE_CUDA_HOST_IMPLICIT_LINK_DIRECTORIES)
    target_link_options(_C_cuda PRIVATE "-L${folder}")
  endforeach()
endif()
set_target_properties(_C_cuda PROPERTIES CUDA_RUNTIME_LIBRARY Static CUDA_VISIBILITY_PRESET hidden)
list(APPEND products _C_cuda)
message(STATUS "ebgan-kernels: the CUDA library is built by nvcc ${CMAKE_CUDA_COMPILER_VERSION} for ${cuda_targets}")
