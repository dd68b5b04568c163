# Libraries that load with an older glibc than this machine's. This machine's compiler makes the objects, since the kernels
# were measured with it: by Zig's clang a gradient difference loss takes 3.3 times as long and a ladder's cost 3.7 times
# (AMD EPYC, one thread, 2026-11-28). Zig, which carries the symbols of every glibc (pip install ziglang), links them; the
# C++ library goes inside, and libgcc_s, which every system has, unwinds.

execute_process(COMMAND "${EBGAN_ZIG}" version OUTPUT_VARIABLE zig_version RESULT_VARIABLE failed ERROR_QUIET)
if(failed)
  message(FATAL_ERROR "ebgan-kernels: EBGAN_KERNELS_GLIBC=${EBGAN_GLIBC} needs Zig to link; pip install ziglang")
endif()

foreach(library IN ITEMS libstdc++.a libgcc.a libgcc_s.so.1)
  execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -print-file-name=${library} OUTPUT_VARIABLE path
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT EXISTS "${path}")
    message(FATAL_ERROR "ebgan-kernels: EBGAN_KERNELS_GLIBC is for GCC, and ${CMAKE_CXX_COMPILER} has no ${library}")
  endif()
  list(APPEND runtime "\"${path}\"")
endforeach()
list(JOIN runtime " " runtime)

set(CMAKE_LINK_DEPENDS_USE_LINKER OFF)  # Zig writes no list of what it links
set(link "\"${EBGAN_ZIG}\" cc -target ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu.${EBGAN_GLIBC} -shared -s -Wl,--gc-sections")
string(APPEND link " <LINK_FLAGS> -o <TARGET> <OBJECTS> \"${CMAKE_SOURCE_DIR}/cmake/glibc.c\" <LINK_LIBRARIES> ${runtime}")
set(CMAKE_CXX_CREATE_SHARED_MODULE "${link}")
set(CMAKE_CUDA_CREATE_SHARED_MODULE "${link}")
