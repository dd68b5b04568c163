// What headers of a newer glibc refer to and an older one lacks (glibc.cmake). This one tells the C++ library whether the
// process has a single thread, and it may skip locking then; 0 says that it may have more.
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
